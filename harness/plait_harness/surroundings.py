"""What a case finds around it when it begins: its folders, its files and its environment."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Mapping

from plait_harness.contexts import clean_environment
from plait_harness.crossing import Case
from plait_harness.leftovers import OWN_FOLDER, find_store_above
from plait_harness.render import Rendered


def make_base_env(*, inherit: bool) -> dict[str, str]:
    """Give the environment that every case, and the prepared process, starts from."""
    return clean_environment(os.environ, inherit=inherit)


def make_env(
    case: Case, root: str, base_env: Mapping[str, str], feature_variable: str = ""
) -> dict[str, str]:
    """Give the environment of a case's processes.

    Args:
        case: The case.
        root: The folder that its folder is made in.
        base_env: What `make_base_env` gave, and what its servers are found by.
        feature_variable: If not empty, the variable that tells coverage the template's name.
    """
    folder = os.path.join(root, case.folder)
    engine = case.context.engine
    env = dict(base_env)
    env["HOME"] = os.path.join(folder, OWN_FOLDER, case.context.home)
    env["TMPDIR"] = os.path.join(folder, OWN_FOLDER, "tmp")
    env.update({"PLAIT_USER": "harness", **engine.env})
    if "PLAIT_DATASTORE_ROOT" not in env and find_store_above(root):
        # The nearest .plait above would be taken for this case's own.
        env["PLAIT_DATASTORE_ROOT"] = os.path.join(folder, ".plait")
    words = {
        "{nonce}": f"{case.folder}-{os.getpid()}",
        "{number}": str(zlib.crc32(case.id.encode())),
        "{folder}": folder,
        "{home}": env["HOME"],
    }
    for name, value in case.context.env.items():
        for word, meaning in words.items():
            value = value.replace(word, meaning)  # noqa: PLW2901  # one word after another
        env[name] = value
    env.update(engine.translate_env(case.template.env))
    if feature_variable:
        env[feature_variable] = case.template.name
    return env


def make_folder(case: Case, folder: str, rendered: Rendered) -> None:
    """Make a case's folder anew, with its programs and the files that its template asks for."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in (case.context.home, "tmp"):
        os.makedirs(os.path.join(folder, OWN_FOLDER, name))
    files: dict[str, str | bytes] = {
        "flow.py": rendered.flow,
        "check.py": rendered.check,
        **case.context.engine.translate_files(case.template.required_files),
    }
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        with open(path, "wb") as file:
            file.write(data)
    if case.context.limits.read_only:
        os.chmod(folder, 0o500)
