"""What the system says becomes a mistake that a person can mend."""

import errno

import pytest

from plait.storage.errors import StorageFailed, StorageForbidden, StorageFull, storage_error


@pytest.mark.parametrize(
    ("number", "kind", "what"),
    [
        (errno.ENOSPC, StorageFull, "there is no room to write '/a/b'"),
        (errno.EDQUOT, StorageFull, "there is no room to write '/a/b'"),
        (errno.EFBIG, StorageFull, "there is no room to write '/a/b'"),
        (errno.EACCES, StorageForbidden, "plait may not write '/a/b'"),
        (errno.EPERM, StorageForbidden, "plait may not write '/a/b'"),
        (errno.EROFS, StorageForbidden, "plait may not write '/a/b'"),
        (errno.EIO, StorageFailed, "plait could not write '/a/b'"),
    ],
)
def test_each_error_names_the_path_and_a_cure(number, kind, what):
    """The kind follows the system's number; the text holds path, reason and what to do."""
    reason = "as the system puts it"

    error = storage_error(OSError(number, reason), "/a/b", "write")

    assert type(error) is kind
    assert what in str(error)
    assert reason in str(error)
    assert "PLAIT_DATASTORE_ROOT" in str(error)


def test_an_error_without_a_number():
    """An error that Python raises itself, without a number, still says what it says."""
    assert "odd thing" in str(storage_error(OSError("odd thing"), "/a", "read"))
