"""plait: flows in Python, every result kept. Everything a user needs is imported from here."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from plait.base.version import VERSION
from plait.client.source import use_opener

TYPE_CHECKING = False  # `typing` costs half as much as Python's own start; checkers know this name
if TYPE_CHECKING:
    from typing import Any

    from plait.base.errors import PlaitError
    from plait.client.artifact import DataArtifact
    from plait.client.errors import PlaitNamespaceMismatch, PlaitNotFound
    from plait.client.flow import Flow
    from plait.client.namespaces import default_namespace, get_namespace, namespace
    from plait.client.plait import Plait
    from plait.client.run import Run
    from plait.client.source import default_metadata, get_metadata, metadata
    from plait.client.step import Step
    from plait.client.stores import Source
    from plait.client.task import Task
    from plait.flow.config import Config, config_expr
    from plait.flow.current import current
    from plait.flow.include import IncludeFile
    from plait.flow.merge import MergeArtifactsException, MissingInMergeArtifactsException
    from plait.flow.parameters import Parameter
    from plait.flow.spec import FlowSpec
    from plait.flow.step import step
    from plait.flow.types import JSONType
    from plait.plugins.card import card
    from plait.plugins.catch import FailureHandledByCatch, catch
    from plait.plugins.environment import environment
    from plait.plugins.project import project
    from plait.plugins.resources import resources
    from plait.plugins.retry import retry
    from plait.plugins.timeout import TimeoutException, timeout
    from plait.runner.notebook import NBRunner
    from plait.runner.runner import Runner
    from plait.s3.errors import S3AccessDenied, S3BadURL, S3Error, S3InvalidRange, S3NotFound
    from plait.s3.results import S3GetObject, S3Object, S3PutObject
    from plait.s3.tool import S3

__all__ = [
    "S3",
    "Config",
    "DataArtifact",
    "FailureHandledByCatch",
    "Flow",
    "FlowSpec",
    "IncludeFile",
    "JSONType",
    "MergeArtifactsException",
    "MissingInMergeArtifactsException",
    "NBRunner",
    "Parameter",
    "Plait",
    "PlaitError",
    "PlaitNamespaceMismatch",
    "PlaitNotFound",
    "Run",
    "Runner",
    "S3AccessDenied",
    "S3BadURL",
    "S3Error",
    "S3GetObject",
    "S3InvalidRange",
    "S3NotFound",
    "S3Object",
    "S3PutObject",
    "Step",
    "Task",
    "TimeoutException",
    "__version__",
    "card",
    "catch",
    "config_expr",
    "current",
    "default_metadata",
    "default_namespace",
    "environment",
    "get_metadata",
    "get_namespace",
    "metadata",
    "namespace",
    "project",
    "resources",
    "retry",
    "step",
    "timeout",
]

__version__ = VERSION

# Where each name is written. A script that only reads results needs no decorators, and one that
# only shows its flow needs no client, so each is imported when it is asked for.
_HOMES = {
    "Config": "plait.flow.config",
    "DataArtifact": "plait.client.artifact",
    "FailureHandledByCatch": "plait.plugins.catch",
    "Flow": "plait.client.flow",
    "FlowSpec": "plait.flow.spec",
    "IncludeFile": "plait.flow.include",
    "JSONType": "plait.flow.types",
    "MergeArtifactsException": "plait.flow.merge",
    "MissingInMergeArtifactsException": "plait.flow.merge",
    "NBRunner": "plait.runner.notebook",
    "Parameter": "plait.flow.parameters",
    "Plait": "plait.client.plait",
    "PlaitError": "plait.base.errors",
    "PlaitNamespaceMismatch": "plait.client.errors",
    "PlaitNotFound": "plait.client.errors",
    "Run": "plait.client.run",
    "Runner": "plait.runner.runner",
    "S3": "plait.s3.tool",
    "S3AccessDenied": "plait.s3.errors",
    "S3BadURL": "plait.s3.errors",
    "S3Error": "plait.s3.errors",
    "S3GetObject": "plait.s3.results",
    "S3InvalidRange": "plait.s3.errors",
    "S3NotFound": "plait.s3.errors",
    "S3Object": "plait.s3.results",
    "S3PutObject": "plait.s3.results",
    "Step": "plait.client.step",
    "Task": "plait.client.task",
    "TimeoutException": "plait.plugins.timeout",
    "card": "plait.plugins.card",
    "catch": "plait.plugins.catch",
    "config_expr": "plait.flow.config",
    "current": "plait.flow.current",
    "default_metadata": "plait.client.source",
    "default_namespace": "plait.client.namespaces",
    "environment": "plait.plugins.environment",
    "get_metadata": "plait.client.source",
    "get_namespace": "plait.client.namespaces",
    "namespace": "plait.client.namespaces",
    "project": "plait.plugins.project",
    "resources": "plait.plugins.resources",
    "retry": "plait.plugins.retry",
    "step": "plait.flow.step",
    "timeout": "plait.plugins.timeout",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value  # so that the next use comes without a call
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _open_source(spec: str | None) -> Source:
    # The client knows only what a store promises; which ones there are, `wiring` knows, and it
    # knows far more than a script needs that has not read anything yet.
    from plait.wiring.stores import open_source

    return open_source(spec)


use_opener(_open_source)


class _CallablePackage(ModuleType):
    # `metadata` is a function of the user's, and one of plait's own packages, which `import` makes
    # an attribute of this one whenever it likes. So the package itself can be called.
    def __call__(self, spec: str) -> str:
        from plait.client.source import metadata

        return metadata(spec)


import_module("plait.metadata").__class__ = _CallablePackage
