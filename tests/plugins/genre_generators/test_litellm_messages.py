"""What a worker process is told of a prompt."""

from genre.parts import Message, Prompt, Sampling
from genre_generators.litellm_messages import prompt_line, read_prompt


def test_a_worker_draws_with_the_seed_of_the_prompt() -> None:
    prompt = Prompt("task", "S", 3, (Message("user", "?"),), Sampling(max_tokens=9), retry=2)
    assert read_prompt(prompt_line(prompt)).seed == prompt.seed
