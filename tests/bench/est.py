"""`make bench`, EST: what an enrollment costs the server against its floor, and ten thousand devices at once."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))

from harness import Server  # noqa: E402

BENCH = pathlib.Path(sys.argv[1]) / "tests/bench/bench_est"
COUNT = int(os.environ.get("BENCH_COUNT", "400"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
STORM = int(os.environ.get("BENCH_STORM", "10000"))


def bench(*args):
    done = subprocess.run([str(BENCH), *map(str, args)], capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise SystemExit(f"bench_est {args}: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def run(server, code, mode, connections, devices):
    runs = [bench(server.port, server.root_pem, code, server.process.pid, mode, connections, devices)
            for _ in range(ROUNDS if connections < 1000 else 1)]
    return sorted(runs, key=lambda r: r["cpu_ms"])[len(runs) // 2]


def main():
    floor = bench("floor")
    print(f"\nEST, floor: {json.dumps(floor)}\n")
    print("| devices | connections | certificates/s | p50 ms | p99 ms | longest ms | server CPU ms/certificate | x floor | peak MB | tries again | 503 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    rows = [("fresh", c, COUNT) for c in (1, 4, 64)] + [("keep", c, COUNT) for c in (1, 4, 64)] + [("code", 4, COUNT), ("fresh", STORM, STORM)]
    with contextlib.closing(Server()) as server:
        server.start()
        made = server.run("est-credential", "create", "--uses", "any", "--json", check=True)
        code = json.loads(made.stdout)["code"]
        for mode, connections, devices in rows:
            r = run(server, code, mode, connections, devices)
            bare = floor["keep_ms" if mode == "keep" else "fresh_ms"]
            print(f"| {mode} | {connections} | {r['per_second']:.0f} | {r['p50_ms']:.1f} | {r['p99_ms']:.1f} | {r['max_ms']:.0f} | {r['cpu_ms']:.2f} | "
                  f"{r['cpu_ms'] / bare:.2f} | {r['peak_mb']:.1f} | {r['retries']} | {r['refused_503']} |", flush=True)


if __name__ == "__main__":
    main()
