import json

import attrs

from genre.parts import Completion, Identity, Prompt


@attrs.frozen
class ParrotOptions:
    suffix: str = "!"


class Parrot:
    def __init__(self, options: ParrotOptions) -> None:
        self.suffix = options.suffix
        self.identity = Identity(model="parrot", endpoint="here", parameters={"suffix": options.suffix})

    async def complete(self, prompt: Prompt) -> Completion:
        line = prompt.messages[-1].content.rpartition("\n")[2]
        return Completion(text=json.dumps({"title": line.upper()[:60] + self.suffix}), model="parrot-1")
