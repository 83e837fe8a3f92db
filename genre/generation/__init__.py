"""The generation half: prompts are rendered, answered, stored, parsed and put back into the data set."""

from genre.generation.answers import parse_answer
from genre.generation.budget import Budget, parse_budget
from genre.generation.engine import Engine, Routing
from genre.generation.limits import Limits
from genre.generation.pool import GeneratorPool, generator_pool
from genre.generation.prepare import PreparedRound, RoundSpec, prepare_round
from genre.generation.reports import RoundProgress, RoundReport
from genre.generation.rounds import run_rounds
from genre.generation.store import AnswerStore, StoredAnswer
from genre.generation.templates import ChatTemplate

__all__ = [
    "AnswerStore",
    "Budget",
    "ChatTemplate",
    "Engine",
    "GeneratorPool",
    "Limits",
    "PreparedRound",
    "RoundProgress",
    "RoundReport",
    "RoundSpec",
    "Routing",
    "StoredAnswer",
    "generator_pool",
    "parse_answer",
    "parse_budget",
    "prepare_round",
    "run_rounds",
]
