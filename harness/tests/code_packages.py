"""Templates about code packages: the code that a run ran with is kept with its results."""

from plait_harness import FlowTest, steps


class KeptCode(FlowTest):
    """A run keeps its code: files by suffix, read, unpacked and described as they were."""

    PRIORITY = 74
    REQUIRED_FILES = {
        "beside.py": "VALUE = 'from beside'\n",
        "deep/er.sql": "select 1\n",
        "data.csv": "1,2\n",
        "more.txt": "a text\n",
    }
    ENV = {"PLAIT_PACKAGE_SUFFIXES": ".txt"}
    ONLY_GRAPHS = {"small-foreach": "the code is the run's: here seen by tasks of a foreach"}

    @steps(0, ["all"])
    def step_all(self):
        with open("beside.py") as file:
            self.seen = file.read()

    def check_results(self, flow, checker):
        listed = checker.command(["package", "list", "--no-plait"]).stdout
        names = sorted(line.split("  ")[0] for line in listed.splitlines())
        assert_equals(True, {"beside.py", "deep/er.sql", "more.txt"} <= set(names))
        assert_equals(False, "data.csv" in names)
        run = checker.get_run()
        if run is None:
            raise NotOffered("only the client reads the code of a run")
        code = run.code
        files = {each["name"] for each in code.info["files"]}
        assert_equals(set(names), files)
        assert_equals(sorted(["INFO", *files]), sorted(code.tarball.getnames()))
        assert_equals(True, f"class {checker.run.flow}(" in code.flowspec)
        assert_equals(code.path, run["end"].task.code.path)
        info = run["end"].task.environment_info
        assert_equals((code.address, "local"), (info["code"], info["environment"]))
        with code.extract() as folder:
            with open(f"{folder}/beside.py") as file:
                assert_equals("VALUE = 'from beside'\n", file.read())
            with open(f"{folder}/{code.script_name}") as file:
                assert_equals(code.flowspec, file.read())
