"""Templates about facts and values that are apart: others' runs at the same place, facts of yesterday."""

from plait_harness import FlowTest, steps


class SharedPlace(FlowTest):
    """Whose runs lie at the same place meet nowhere: not when they run, are read, or are cleaned away."""

    PRIORITY = 136
    LEAVES = ["id", "near", "far", "nowhere", "all.pickle"]
    ONLY_GRAPHS = {"linear": "a resumed run refers to the steps before the one that runs again"}

    HEADER = """
import os

from plait import S3
"""

    @steps(0, ["all"])
    def step_all(self):
        self.large = [current.run_id, current.step_name, *range(30_000)]
        self.small = [current.run_id, current.step_name]
        self.objects = []
        if "PLAIT_DATASTORE_SYSROOT_S3" in os.environ:
            with S3(run=self) as s3:
                self.objects = [found.text for found in s3.get_all()]
                s3.put(current.step_name, current.run_id)

    def check_results(self, flow, checker):
        if checker.name != "cli":
            raise NotOffered("it is about commands")
        import contextlib
        import io
        import os
        import pickle
        from unittest import mock

        from plait.cli.plait import call_plait

        # A colleague's facts are in a folder. Where mine are, too, hers is another one.
        hers = ["--metadata", "local"]
        if os.environ.get("PLAIT_METADATA") != "service":
            hers += ["--datastore-root", "near"]

        def call(who, *arguments, expect=0):
            checker.command([*who, *arguments], expect=expect)

        def begin(who, *arguments):
            call(who, *arguments, "--run-id-file", "id")
            with open("id") as file:
                return file.read()

        def house(who, *arguments):
            facts = {"PLAIT_METADATA": "local"} if who else {}
            with mock.patch.dict(os.environ, facts), contextlib.redirect_stdout(io.StringIO()):
                assert_equals(0, call_plait([*arguments, *who[2:]]))

        in_s3 = os.environ.get("PLAIT_DATASTORE") == "s3"
        names = ["start", "first", "second", "third", "end"]

        def read(who, run, origin=None):
            call(who, "dump", run, "--file", "all.pickle")
            with open("all.pickle", "rb") as file:
                tasks = pickle.load(file)
            os.unlink("all.pickle")
            assert_equals(len(list(flow)), len(tasks))
            for name, values in tasks.items():
                step = name.split("/")[2]
                ran = run if step == "end" else origin or run
                assert_equals([ran, step], values["small"])
                assert_equals([ran, step, *range(30_000)], values["large"])
                # Its own objects, and no other's: of all steps before, which a resumed run has not run.
                anew = step == "end" and origin is not None
                put = [] if anew or not in_s3 else [ran] * names.index(step)
                assert_equals(put, values["objects"])

        os.chdir(checker.run.folder)
        # The facts of one run are not read with what another left under its number.
        far = ["--datastore-root", "far"]
        there = ["--metadata", "local", "--datastore", "local", *far]
        read(there, begin(there, "run"))
        mixed = [*(["--metadata", "local"] if in_s3 else []), *far]
        call(mixed, "dump", "1", expect=1)
        call(mixed, "logs", "1/start", expect=1)
        call(mixed, "spin", "first", "--origin-run-id", "1", expect=1)
        call(mixed, "resume", "--origin-run-id", "1", expect=1)
        # Nor is what is elsewhere taken for nothing.
        service = os.environ.get("PLAIT_METADATA") == "service"
        nowhere = ["--datastore", "local", *(["--datastore-root", "nowhere"] if service else [])]
        call(nowhere, "dump", "1", expect=1)
        call(nowhere, "logs", "1/start", expect=1)

        mine, her = [checker.run_id], []
        for _ in range(2):
            her.append(begin(hers, "run"))
            mine.append(begin([], "run"))
        # No number is given twice at one place, whoever counts.
        assert_equals(5, len({*mine, *her}))
        her.append(begin(hers, "resume", "end"))
        for who, kept in (([], mine), (hers, her[1:])):
            house(who, "verify")
            house(who, "gc")
            house(who, "gc", "--keep-runs", str(len(kept)))
            house(who, "verify")
        for run in mine:
            read([], run)
        read(hers, her[1])
        read(hers, her[2], her[1])
        call(hers, "dump", her[0], expect=2)


class OlderFacts(FlowTest):
    """Facts that were brought back from a copy lose no run: its number stays taken, its values stay."""

    PRIORITY = 136
    LEAVES = ["id", "other", "copy.db"]
    ONLY_GRAPHS = {"linear": "it is about runs, not about graphs"}

    @steps(0, ["all"])
    def step_all(self):
        self.small = [current.run_id, current.step_name]

    def check_results(self, flow, checker):
        if checker.name != "cli":
            raise NotOffered("it is about commands")
        import contextlib
        import io
        import os
        import pickle
        import shutil
        from pathlib import Path
        from unittest import mock

        from plait.cli.plait import call_plait

        place = ["--metadata", "local", "--datastore", "local", "--datastore-root", "other"]

        def begin():
            checker.command([*place, "run", "--run-id-file", "id"])
            with open("id") as file:
                return file.read()

        def house(*arguments):
            local = {"PLAIT_METADATA": "local", "PLAIT_DATASTORE": "local"}
            with (
                mock.patch.dict(os.environ, local),
                contextlib.redirect_stdout(io.StringIO()) as out,
            ):
                assert_equals(0, call_plait([*arguments, "--datastore-root", "other"]))
            return out.getvalue()

        os.chdir(checker.run.folder)
        assert_equals("1", begin())
        shutil.copy("other/metadata.db", "copy.db")
        assert_equals("2", begin())
        for file in Path("other").glob("metadata.db-*"):
            file.unlink()
        shutil.copy("copy.db", "other/metadata.db")
        assert_equals("3", begin())
        said = house("gc")
        assert_equals(True, "1 run of" in said and "nothing is known here" in said)
        assert_equals(["1", "2", "3"], sorted(os.listdir(next(Path("other/store").glob("*/runs")))))
        house("verify")
        checker.command([*place, "dump", "3", "--file", "all.pickle"])
        with open("all.pickle", "rb") as file:
            tasks = pickle.load(file)
        os.unlink("all.pickle")
        for name, values in tasks.items():
            assert_equals(["3", name.split("/")[2]], values["small"])
        house("gc", "--unknown")
        assert_equals(["1", "3"], sorted(os.listdir(next(Path("other/store").glob("*/runs")))))
        house("verify")
