"""How fast are many objects read from S3: a thousand small ones, and four large ones?"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from s3_servers import BUCKET, IN_MEMORY, ON_DISK, serve
from side_by_side import Demand, machine

from plait import S3

SMALL, SMALL_BYTES = 1000, 1000
LARGE, LARGE_BYTES = 4, 256 << 20
THREADS = 16
ROOT = f"s3://{BUCKET}/many"
PIECE = 1 << 20
PLAIN = "boto3, 16 threads"
BARE = "bare HTTP, 16 threads"
OURS = "S3.get_many"
BEST = "best plain download"
RANGES = ((16 << 20, 4), (16 << 20, 8), (64 << 20, 2), (LARGE_BYTES, LARGE))
"""Ways to download by ranges of how many bytes, over how many connections."""


def small_keys() -> list[str]:
    """Give the keys of the small objects."""
    return [f"small/{number:04}" for number in range(SMALL)]


def large_keys() -> list[str]:
    """Give the keys of the large objects."""
    return [f"large/{number}" for number in range(LARGE)]


def read_with_plait(keys: list[str], size: int) -> None:
    """Read objects as a step does."""
    with S3(s3root=ROOT) as s3:
        found = s3.get_many(keys)
        check(
            sum(len(each.blob or b"") if size == SMALL_BYTES else each.size for each in found),
            len(keys) * size,
        )


def read_with_boto3(url: str) -> None:
    """Read the small objects as one does without plait: a client, and threads."""
    client = boto3.client("s3", endpoint_url=url, config=Config(max_pool_connections=THREADS))

    def read(key: str) -> int:
        return len(client.get_object(Bucket=BUCKET, Key=f"many/{key}")["Body"].read())

    with ThreadPoolExecutor(THREADS) as pool:
        check(sum(pool.map(read, small_keys())), SMALL * SMALL_BYTES)


class Bare:
    """Requests that were signed before: the least that there is to do."""

    def __init__(self, url: str) -> None:
        self._host = str(urlsplit(url).netloc)
        self._own = threading.local()
        client = boto3.client("s3", endpoint_url=url)
        self._paths = {
            key: client.generate_presigned_url(
                "get_object", Params={"Bucket": BUCKET, "Key": f"many/{key}"}
            ).removeprefix(url)
            for key in (*small_keys(), *large_keys())
        }

    def read_small(self) -> None:
        """Read the small objects."""
        with ThreadPoolExecutor(THREADS) as pool:
            check(sum(pool.map(self._read, small_keys())), SMALL * SMALL_BYTES)

    def _read(self, key: str) -> int:
        return len(self._ask(key, {}).read())

    def read_large(self, part: int, threads: int) -> None:
        """Download the large objects into files, by ranges."""
        with ExitStack() as held:
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="plait-bench-"))
            files = {
                key: held.enter_context(open(f"{folder}/{key[-1]}", "wb")) for key in large_keys()
            }
            parts = [(key, at) for key in files for at in range(0, LARGE_BYTES, part)]
            pool = held.enter_context(ThreadPoolExecutor(threads))
            done = pool.map(lambda each: self._copy(*each, part, files[each[0]].fileno()), parts)
            check(sum(done), LARGE * LARGE_BYTES)

    def _copy(self, key: str, offset: int, part: int, target: int) -> int:
        last = min(offset + part, LARGE_BYTES) - 1
        answer = self._ask(key, {"Range": f"bytes={offset}-{last}"})
        buffer = memoryview(bytearray(PIECE))
        at = offset
        while got := answer.readinto(buffer):
            at += os.pwrite(target, buffer[:got], at)
        return at - offset

    def _ask(self, key: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection(self._host)
        connection.request("GET", self._paths[key], headers=headers)
        answer: http.client.HTTPResponse = connection.getresponse()
        return answer


def check(found: int, expected: int) -> None:
    """Hold the bytes that came against those there are."""
    if found != expected:
        sys.exit(f"{found} bytes came, not {expected}")


def compare(contenders: dict[str, Callable[[], None]], repeat: int) -> dict[str, float]:
    """Run contenders in turns; give the medians of their seconds."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeat):
        for name, run in contenders.items():
            begun = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begun)
    for name, of in times.items():
        median = statistics.median(of)
        print(f"  {name:<34} {median:7.3f} s   ({repeat} runs, {min(of):.3f} to {max(of):.3f})")
    return {name: statistics.median(of) for name, of in times.items()}


def ask_small(url: str, repeat: int) -> dict[str, float]:
    """Measure a thousand small objects."""
    with S3(s3root=ROOT) as s3:
        s3.put_many([(key, os.urandom(SMALL_BYTES)) for key in small_keys()])
    contenders = {
        OURS: partial(read_with_plait, small_keys(), SMALL_BYTES),
        PLAIN: partial(read_with_boto3, url),
        BARE: Bare(url).read_small,
    }
    for run in contenders.values():
        run()  # what is read and imported at the first time is not what is asked
    return compare(contenders, repeat)


def ask_large(url: str, repeat: int) -> dict[str, float]:
    """Measure four large objects."""
    with tempfile.NamedTemporaryFile() as file, S3(s3root=ROOT) as s3:
        piece = os.urandom(PIECE)
        for _ in range(LARGE_BYTES // PIECE):
            file.write(piece)
        file.flush()
        s3.put_files([(key, file.name) for key in large_keys()])
    contenders: dict[str, Callable[[], None]] = {
        OURS: partial(read_with_plait, large_keys(), LARGE_BYTES)
    }
    bare = Bare(url)
    for part, threads in RANGES:
        name = f"plain, {part >> 20} MB x {threads} connections"
        contenders[name] = partial(bare.read_large, part, threads)
    medians = compare(contenders, repeat)
    best = min(took for name, took in medians.items() if name != OURS)
    print(
        f"  that is {LARGE * LARGE_BYTES / medians[OURS] / 1e6:.0f} MB/s, "
        f"of {LARGE * LARGE_BYTES / best / 1e6:.0f} MB/s at best"
    )
    return {OURS: medians[OURS], BEST: best}


def main() -> None:
    """Ask both servers; exits with 1 if a demand is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="runs of each contender (5)")
    parser.add_argument("--small-only", action="store_true", help="leave out the large objects")
    options = parser.parse_args()
    print(f"{__doc__}   [{machine()}]")
    lines: list[str | None] = []
    for server in (ON_DISK, IN_MEMORY):
        with serve(server) as url:
            print(f"{SMALL} objects of {SMALL_BYTES} bytes in {server}")
            small = ask_small(url, options.repeat)
            # Where the server takes most of the time itself, no client can be twice as fast.
            demands = [Demand(BARE, OURS, 1.5, at_least=False)]
            if server == ON_DISK:
                demands.append(Demand(OURS, PLAIN, 2, at_least=True))
            lines += [demand.check(small) for demand in demands]
            if server == ON_DISK and not options.small_only:
                print(f"{LARGE} objects of {LARGE_BYTES >> 20} MB in {server}")
                large = ask_large(url, options.repeat)
                lines.append(Demand(BEST, OURS, 1 / 0.8, at_least=False).check(large))
            print("\n".join(line for line in lines if line))
            missed = any("MISSED" in (line or "") for line in lines)
            lines.clear()
        if missed:
            sys.exit(1)


if __name__ == "__main__":
    main()
