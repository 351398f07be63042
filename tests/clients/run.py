"""Runs every real client through the gateway to the simulated fleet, and says what held.

    python3 tests/clients/run.py --binary target/debug/pilothouse

Starts the fleet and the gateway, runs each client as one process over all its cells, and judges each cell on three
sides (see `judge.py`). Then it plants faults into the wire and wants each of them noticed (see `plant.py`).
Exits 1 if anything is red. `--direct` asks the fleet without a gateway: same-dialect cells, two sides.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile

import endings
import environments
import impossible
import matrix
import plant
from fleet import Fleet, by_mark
from gateway import Gateway
from judge import Court
from processes import Program, free_port, run_client

CLIENT_KEY = "client-key-of-the-tests-0123456789"
PROVIDER_KEY = "provider-key-of-the-tests-9876543210"
CLIENTS_AT_ONCE = 4
STALLING = "fault-stall-3000-50"
PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs/src/clients.md"


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="pilothouse-clients-") as name:
        folder = pathlib.Path(name)
        if options.keep:
            folder = pathlib.Path(options.keep).resolve()
            folder.mkdir(parents=True, exist_ok=True)
        run = Run(options, folder)
        try:
            run.start()
            run.matrix()
            if not options.direct and not options.no_planted:
                run.planted()
            if not options.direct:
                run.compare_books()
            run.compare_page()
            return run.summary()
        finally:
            run.stop()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=os.environ.get("PILOTHOUSE_BIN"), help="the pilothouse program")
    parser.add_argument("--fleet", help="address of a fleet that already runs, instead of the binary's own")
    parser.add_argument("--direct", action="store_true", help="ask the fleet without a gateway")
    parser.add_argument("--only", default="", help="cells whose id contains this")
    parser.add_argument("--translate", action="store_true", help="same-dialect cells through the codecs too")
    parser.add_argument("--no-planted", action="store_true", help="leave out the planted faults")
    parser.add_argument("--keep", help="folder for logs and the ledger, kept afterwards")
    parser.add_argument("--verbose", action="store_true", help="print every problem in full")
    options = parser.parse_args()
    if not options.binary and not (options.direct and options.fleet):
        parser.error("--binary is needed: the pilothouse program, built by `cargo build -p pilothouse`")
    if options.binary:
        options.binary = pathlib.Path(options.binary).resolve()
    return options


class Run:
    """One run: the programs, what they answered, and what was found wrong."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.programs, self.versions = [], {}
        # Cell id -> problems, for every cell that was run; and those among them that were declared impossible.
        self.found, self.declared = {}, {}
        self.faults, self.notes, self.failed = [], [], False
        self.gateway = None

    def start(self):
        if self.options.fleet:
            self.fleet = Fleet(self.options.fleet)
        else:
            address = f"127.0.0.1:{free_port()}"
            program = Program([self.options.binary, "sim", "--listen", address], self.folder, "sim")
            self.programs.append(program)
            program.wait_for(f"http://{address}/health")
            self.fleet = Fleet(address)
        self.fleet.reset()
        if not self.options.direct:
            self.proxy = plant.Proxy(self.fleet.url)
            keys, planted = (CLIENT_KEY, PROVIDER_KEY), self.proxy.providers()
            translate = self.options.translate
            self.gateway = Gateway(self.options.binary, self.folder, self.fleet.url, keys, planted, translate)
            self.programs += [self.proxy, self.gateway.program]
            self.proxy.targets["answer"] = self.gateway.url

    def stop(self):
        for program in reversed(self.programs):
            program.stop()

    def matrix(self):
        cells = [cell for cell in matrix.cells() if self.options.only in cell.id]
        if self.options.direct:
            # Nothing but a gateway can tell an SDK that a clean end came too soon.
            cells = [cell for cell in cells if cell.native and cell.case.name != "cut_clean" and not cell.case.ends]
        if self.options.translate:
            cells = [cell for cell in cells if cell.native]
        results = self.side_by_side(cells, self.run_client)
        court = self.court()
        log = self.fleet.log()
        (self.folder / "fleet.json").write_text(json.dumps(log, indent=1))
        calls = by_mark(log, cells)
        reasons = impossible.read()
        for cell in cells:
            problems = court.judge(cell, results[cell.id], calls[cell.id])
            reason = reasons.get((cell.client.id, cell.upstream, cell.case.name))
            if reason:
                self.declared[cell.id] = reason
                problems = [] if problems else [f"is declared impossible ({reason}), and yet it passes"]
            self.found[cell.id] = problems
            self.show(cell.id, problems)

    def show(self, id, problems):
        print(f"{'red ' if problems else 'ok  '} {id}")
        for problem in problems if self.options.verbose else problems[:3]:
            print(f"       {problem if self.options.verbose else problem[:300]}")
        sys.stdout.flush()

    def side_by_side(self, cells, run):
        """Some clients at a time: much of what they do is to wait until a call may be repeated."""
        results = {}
        with concurrent.futures.ThreadPoolExecutor(CLIENTS_AT_ONCE) as pool:
            waiting = []
            for client in matrix.CLIENTS:
                own = [cell for cell in cells if cell.client == client]
                if own:
                    # Packages are installed here, one environment after the other.
                    command = environments.command(client)
                    waiting.append(pool.submit(run, client, command, own))
            for one in waiting:
                results |= one.result()
        return results

    def run_client(self, client, command, cells):
        root = self.fleet.url if self.options.direct else self.gateway.url
        key = PROVIDER_KEY if self.options.direct else CLIENT_KEY
        entries = [cell.job(root, self.name_of(cell), self.qualified(cell, STALLING)) for cell in cells]
        versions, results, errors = run_client(command, matrix.job(key, entries))
        self.versions[client.id] = versions
        nothing = {"answers": [], "partial": "", "wire": []}
        for cell in cells:
            lost = {"class": "none", "bases": [], "status": None, "message": f"the client died: {errors}"}
            results.setdefault(cell.id, {**nothing, "raised": lost})
        return results

    def name_of(self, cell):
        """The name that the client asks for: bare where the model is its vendor's own, else with the provider.

        A bare name of OpenAI's leads to the provider that is configured first, which speaks chat completions.
        """
        is_bare = cell.native and not cell.case.ends and cell.upstream != "responses" and not cell.model.startswith("fault-")
        return cell.model if is_bare else self.qualified(cell)

    def qualified(self, cell, model=None):
        if cell.case.ends and not model:
            return endings.Endings.asked(cell)
        model = model or cell.model
        return model if self.options.direct else f"{cell.upstream}/{model}"

    def court(self):
        errors = {}
        for case in matrix.CASES:
            if case.error and case.error != "cut" and not case.ends:
                for upstream in matrix.UPSTREAMS:
                    model = case.models.get(upstream, matrix.MODELS[upstream])
                    picture = matrix.BAD_IMAGE if case.error == "400" else None
                    errors[upstream, case.name] = self.fleet.error(upstream, model, picture)
        return Court(
            client_key=CLIENT_KEY,
            client_hash=self.fleet.hash_of(CLIENT_KEY),
            provider_hash=self.fleet.hash_of(PROVIDER_KEY),
            errors=errors,
            records=self.gateway.records() if self.gateway else None,
            endings=self.gateway.endings if self.gateway else None,
        )

    def planted(self):
        """Wants every planted fault noticed in each of its cells, and nothing noticed where there is none."""
        self.faults = plant.run(self, CLIENT_KEY)
        for problem in self.proxy.broken:
            self.fail(problem)
        for fault in self.faults:
            kind = "control" if fault.is_control else "planted"
            print(f"{'ok  ' if fault.holds else 'red '} {kind} {fault.name} {' '.join(fault.wrong)}")
            for id in fault.wrong:
                for problem in fault.found[id]:
                    print(f"       {problem[:300]}")

    def compare_books(self):
        """Our bill against the fleet's own: tokens of every class and pico-dollars of all that was answered whole."""
        bill, books = self.gateway.bill(), self.fleet.bill()
        said = f"{sum(books['tokens'].values())} tokens and {books['picousd']} pico-dollars"
        if bill == books:
            self.notes.append(f"`pilothouse usage` equals the fleet's books: {said}")
        else:
            self.fail(f"`pilothouse usage` and the fleet's books differ: {bill} and {books}")

    def compare_page(self):
        """The page about clients names the versions that were run."""
        page = PAGE.read_text()
        for client, versions in self.versions.items():
            for name, version in versions.items():
                if version not in page:
                    self.fail(f"{PAGE.name} does not name {name} {version}, which {client} is")

    def fail(self, problem):
        self.failed = True
        self.notes.append(f"RED: {problem}")

    def summary(self):
        red = [id for id, problems in self.found.items() if problems]
        print("\nsummary")
        for client in matrix.CLIENTS:
            own = [id for id in self.found if id.split("/")[0] == client.id]
            if own:
                bad = sum(id in red for id in own)
                impossible_here = sum(id in self.declared and id not in red for id in own)
                passed = len(own) - bad - impossible_here
                state = f"{passed} passed" + (f", {bad} RED" if bad else "")
                versions = " ".join(f"{name} {version}" for name, version in self.versions[client.id].items())
                print(f"  {client.title}: {versions}: {len(own)} cells, {state}, {impossible_here} declared impossible")
        planted = [fault for fault in self.faults if not fault.is_control]
        impossible_all = sum(id not in red for id in self.declared)
        passed = len(self.found) - len(red) - impossible_all
        print(f"  {len(self.found)} cells: {passed} passed, {len(red)} red, {impossible_all} declared impossible")
        if planted:
            print(f"  planted faults caught {sum(fault.holds for fault in planted)}/{len(planted)}")
        for line in self.notes:
            print(f"  {line}")
        fine = not red and all(fault.holds for fault in self.faults) and not self.failed
        return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
