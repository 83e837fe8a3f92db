"""Laws of routers: generators that choose among other instances."""

import attrs

from genre.parts import Prompt, Router
from genre.testing.check import require, shown
from genre.testing.subject import Subject, require_misspelling_is_told

_DRAWS = 50


@attrs.frozen(eq=False)
class RouterLaws:
    """What holds for a router, on prompts that differ in their draw."""

    subject: Subject
    prompt: Prompt

    def it_names_the_instances_that_it_chooses_among(self) -> None:
        router = self._make()
        require(
            isinstance(router, Router) and bool(router.names) and len(set(router.names)) == len(router.names),
            "a router names the generator instances that it chooses among, each once",
            found=shown(getattr(router, "names", None)),
            remedy="let `names` be the names of [generators.NAME]",
        )

    def it_chooses_among_them_alone(self) -> None:
        router = self._make()
        for prompt in self._prompts():
            chosen = list(router.route(prompt))
            require(
                bool(chosen) and set(chosen) <= set(router.names) and len(set(chosen)) == len(chosen),
                "a route is some of the names, each once, the first choice first",
                found=shown(chosen),
                remedy="return names of `names` only",
            )

    def the_same_prompt_goes_the_same_way(self) -> None:
        first, second = self._make(), self._make()
        for prompt in self._prompts():
            ways = [list(router.route(prompt)) for router in (first, first, second)]
            require(
                ways[0] == ways[1] == ways[2],
                "the same prompt goes the same way, so that a second run pays nothing again",
                found=shown(ways),
                remedy="choose by a hash of the prompt, not by chance or by turns",
            )

    def a_misspelt_option_is_told(self) -> None:
        require_misspelling_is_told(self.subject.option_names, self.subject.make)

    def _make(self) -> Router:
        made = self.subject.make()
        assert isinstance(made, Router)
        return made

    def _prompts(self) -> list[Prompt]:
        return [attrs.evolve(self.prompt, draw=draw) for draw in range(_DRAWS)]
