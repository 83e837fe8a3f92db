"""litellm in worker processes: what a bare litellm loop reaches, and the whole engine with one worker and with two.

`python -m benchmarks.litellm_calls ADDRESS CALLS` is the bare loop: nothing but litellm, in a process of its own.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time

import click

from benchmarks.chat_server import serving
from benchmarks.rounds import LATENCY, REPEATS, Done, all_cores, each_process, whole_round

CALLS = 2_000
IN_FLIGHT = 128
WARM_UP = 2 * IN_FLIGHT


def measure_litellm() -> dict[str, object]:
    """Medians of a few runs. Ratios compare runs that stood beside each other.

    Where nothing else wants the CPUs, the first ratio is that of the CPU times of a bare call and of a worker's; the
    second is bounded if there are fewer CPUs than two workers, the engine and the server need. Both are told.
    """
    with all_cores() as cores, serving(latency=LATENCY, core=cores[-1]) as address:
        runs = [_compare(address, len(cores)) for _ in range(REPEATS)]
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}


def _compare(address: str, cores: int) -> dict[str, float]:
    bare = json.loads(
        subprocess.run(
            [sys.executable, "-m", "benchmarks.litellm_calls", address, str(CALLS)],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    )
    one, two = (_engine(address, workers) for workers in (1, 2))
    cpu = {name: 1000 * two.cpu[name] / CALLS for name in two.cpu}
    rate = CALLS / one.seconds
    return {
        "litellm_one_worker_ratio": bare["seconds"] / one.seconds,
        "litellm_two_worker_ratio": one.seconds / two.seconds,
        "litellm_one_worker_cpu_ratio": bare["cpu"] / one.cpu["workers"],
        "litellm_two_worker_bound": min(2.0, cores * one.cpu["workers"] / sum(two.cpu.values())),
        "litellm_bare_calls_per_second": CALLS / bare["seconds"],
        "litellm_one_worker_calls_per_second": rate,
        "litellm_two_worker_calls_per_second": CALLS / two.seconds,
        "litellm_bare_cpu_ms_per_call": 1000 * bare["cpu"] / CALLS,
        "litellm_worker_cpu_ms_per_call": 1000 * one.cpu["workers"] / CALLS,
        "litellm_two_workers_cpu_ms_per_call": cpu["workers"],
        "litellm_engine_cpu_ms_per_call": cpu["here"],
        "litellm_server_cpu_ms_per_call": cpu["server"],
        "litellm_cores": cores,
    }


def _engine(address: str, workers: int) -> Done:
    generator = {
        "plugin": "litellm",
        "model": "openai/fixed",
        "api_base": f"{address}/v1",
        "structured": "never",
        "limits": {"concurrency": IN_FLIGHT},
        "price": {"prompt": 0.1, "completion": 0.1},
        "workers": workers,
    }
    done = whole_round(generator, CALLS, warm_up=WARM_UP, cpu=each_process)
    assert done.report.records == CALLS
    return done


@click.command()
@click.argument("address")
@click.argument("calls", type=int)
def main(address: str, calls: int) -> None:
    """Run the bare loop, and print its seconds and CPU seconds."""
    print(json.dumps(asyncio.run(_bare_loop(address, calls))))


async def _bare_loop(address: str, calls: int) -> dict[str, float]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    places = asyncio.Semaphore(IN_FLIGHT)

    async def call() -> None:
        async with places:
            await litellm.acompletion(
                model="openai/fixed",
                api_base=f"{address}/v1",
                api_key="none",
                messages=[{"role": "system", "content": "word " * 60}, {"role": "user", "content": "word " * 20}],
                max_tokens=100,
                temperature=0.7,
                top_p=1.0,
                seed=0,
                timeout=120.0,
                drop_params=True,
                num_retries=0,
                max_retries=0,
            )

    await asyncio.gather(*(call() for _ in range(WARM_UP)))
    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(call() for _ in range(calls)))
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    main()
