"""The generation half: prompts are rendered, answered, stored, parsed and put back into the data set."""

from genre.generation.answers import parse_answer
from genre.generation.asking import AnswerOptions
from genre.generation.budget import Budget, parse_budget
from genre.generation.costs import Cost
from genre.generation.engine import Engine
from genre.generation.executors import Asker, Executor, Work, find_executor
from genre.generation.limits import Limits
from genre.generation.pool import GeneratorPool, generator_pool
from genre.generation.prepare import PreparedRound, RoundSpec, prepare_round
from genre.generation.reports import ModelReport, RoundProgress, RoundReport
from genre.generation.retrying import retrying
from genre.generation.rounds import run_rounds
from genre.generation.routing import Routing
from genre.generation.store import AnswerStore, StoredAnswer
from genre.generation.templates import ChatTemplate

__all__ = [
    "AnswerOptions",
    "AnswerStore",
    "Asker",
    "Budget",
    "ChatTemplate",
    "Cost",
    "Engine",
    "Executor",
    "GeneratorPool",
    "Limits",
    "ModelReport",
    "PreparedRound",
    "RoundProgress",
    "RoundReport",
    "RoundSpec",
    "Routing",
    "StoredAnswer",
    "Work",
    "find_executor",
    "generator_pool",
    "parse_answer",
    "parse_budget",
    "prepare_round",
    "retrying",
    "run_rounds",
]
