"""Requests that go wrong: tried again where that helps, recognised as done, told where it ends."""

from __future__ import annotations

import os
import time
import traceback

import pytest
from botocore.exceptions import NoCredentialsError, SSLError

from plait import S3
from plait.s3 import lanes, lean, many, reading, writing
from plait.s3.connection import S3Connection
from plait.s3.errors import (
    S3AccessDenied,
    S3BadConfig,
    S3BadCredentials,
    S3Error,
    S3Failed,
    S3InvalidRange,
    S3NoSuchBucket,
    S3NotFound,
    S3NotInstalled,
    S3Throttled,
    S3Unreachable,
    S3Untrusted,
)
from plait.s3.location import Location
from plait.s3.many import Fetcher
from plait.s3.reading import iter_objects, read_facts, read_object
from plait.s3.retry import RetryPlan
from plait.s3.writing import abort_upload, remove_object, write_file, write_object
from plait_harness.faults import Fault, FaultProxy, Plan, Rule
from plait_harness.services import free_port

MB = 1 << 20


@pytest.fixture
def small_parts(monkeypatch):
    """Parts as small as S3 allows."""
    for module in (lanes, lean, many, reading, writing):
        monkeypatch.setattr(module, "PART", 5 * MB)


@pytest.fixture(params=["lean", "library"])
def download(request, monkeypatch):
    """Reads an object into a file, by plain requests or by those of the library."""
    if request.param == "library":
        monkeypatch.setattr(many, "find_target", lambda _: None)

    def read(connection, where, path):
        fetcher = Fetcher(connection)
        try:
            return fetcher.fetch(where, path)[1]
        finally:
            fetcher.close()

    return read


@pytest.fixture
def large_file(tmp_path):
    """A file of three parts."""
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * (12 * MB // 256))
    return path


@pytest.mark.parametrize(
    "fault",
    [Fault.THROTTLED, Fault.ERROR, Fault.RESET, Fault.LOST, Fault.TRUNCATED, Fault.CORRUPT],
)
def test_what_may_mend_is_tried_again(faulty, root, fault):
    """Reads and writes come through each fault, with the right bytes, after a pause."""
    connection = faulty(Rule(fault, "PUT"), Rule(fault, "GET"))

    assert write_object(connection, root, b"some bytes")
    assert read_object(connection, root)[0] == b"some bytes"
    assert len(faulty.pauses) == (1 if fault is Fault.TRUNCATED else 2)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.CORRUPT])
def test_a_conditional_write_whose_answer_was_lost_is_done(faulty, root, fault):
    """The second try is told that there is one already, which is its own."""
    connection = faulty(Rule(fault, "PUT"))

    assert write_object(connection, root, b"mine", exclusive=True)
    assert not write_object(connection, root, b"other", exclusive=True)
    assert read_object(connection, root)[0] == b"mine"


def test_somebody_elses_object_is_not_taken_for_ones_own(faulty, root):
    """Also where the answer got lost, or the object is gone again when it is looked at."""
    write_object(faulty(), root, b"first")
    connection = faulty(Rule(Fault.LOST, "PUT"))
    assert not write_object(connection, root, b"second", exclusive=True)

    gone = Rule(Fault.ERROR, "HEAD", body=b"", status=404)
    connection = faulty(Rule(Fault.LOST, "PUT"), gone)
    assert not write_object(connection, root, b"second", exclusive=True)


def test_throttled_and_broken_are_told_apart(faulty, root):
    """After the last try the error says which it was, and what to do."""
    with pytest.raises(S3Throttled, match="too many requests"):
        read_object(faulty(Rule(Fault.THROTTLED, times=None)), root)
    assert len(faulty.pauses) == 7
    with pytest.raises(S3Failed, match="could not read"):
        read_object(faulty(Rule(Fault.ERROR, times=None)), root)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDenied", 403, S3AccessDenied),
        ("InvalidAccessKeyId", 403, S3BadCredentials),
        ("NoSuchBucket", 404, S3NoSuchBucket),
        ("InvalidRequest", 400, S3Failed),
    ],
)
def test_what_does_not_mend_is_told_at_once(faulty, root, code, status, error):
    """One try, no pause."""
    body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()

    with pytest.raises(error):
        read_object(faulty(Rule(Fault.ERROR, body=body, status=status)), root)
    assert (len(faulty.seen), faulty.pauses) == (1, [])


def test_an_answer_that_is_no_answer_is_asked_for_again(faulty, root):
    """A listing that was garbled on its way is not believed, and no bug."""
    write_object(faulty(), root.child("a"), b"")
    garbled = Rule(Fault.ERROR, "GET", body=b"<List<", status=200)

    assert [name for name, _ in iter_objects(faulty(garbled), root)] == [f"{root.key}/a"]


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.RESET, Fault.LOST])
def test_a_listing_that_is_cut_short_is_asked_for_again(faulty, root, fault):
    """What is no object is read by other means of the library's, with errors of their own."""
    write_object(faulty(), root.child("a"), b"x")

    found = [name for name, _ in iter_objects(faulty(Rule(fault, "GET")), root)]
    assert found == [f"{root.key}/a"]


def test_nobody_listens():
    """A server that is not there is told with its URL, after the time for that."""
    connection = S3Connection(
        f"http://127.0.0.1:{free_port()}", RetryPlan(unreachable_seconds=0.0), sleep=lambda _: None
    )
    with pytest.raises(S3Unreachable, match="no S3 server answers at http://127"):
        read_object(connection, Location("bucket", "key"))


def test_a_login_in_the_url_is_shown_to_nobody():
    """Neither by the message nor by the errors that it came of; S3 has no use for it."""
    connection = S3Connection(
        f"http://ada:pw/w@x@127.0.0.1:{free_port()}",
        RetryPlan(unreachable_seconds=0.0),
        sleep=lambda _: None,
    )
    with pytest.raises(S3Unreachable, match="answers at http://127") as raised:
        read_object(connection, Location("bucket", "key"))
    assert "pw" not in "".join(traceback.format_exception(raised.value)) + repr(connection)


def test_a_login_in_the_url_does_no_harm(moto, root):
    """The server is found all the same."""
    connection = S3Connection(moto.url.replace("//", "//ada:pw@"))
    assert write_object(connection, root, b"x")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://h:port", "http://[::1"])
def test_a_url_that_leads_nowhere_is_told(url, monkeypatch):
    """Before any request, by whoever uses it first."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    for use in (Fetcher, lambda made: read_object(made, Location("bucket", "key"))):
        with pytest.raises(S3BadConfig, match="be set up to ask http"):
            use(S3Connection(url))


def test_no_credentials_at_all(moto, monkeypatch, tmp_path):
    """It takes no time to say that there are none, and how to set them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    begun = time.monotonic()
    connection = S3Connection(moto.url)

    with pytest.raises(S3BadCredentials, match="AWS_ACCESS_KEY_ID"):
        read_object(connection, Location("bucket", "key"))
    assert connection.find_credentials() is None
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_PROFILE", "nobody", "profile .nobody. could not be found"),
        ("AWS_SECRET_ACCESS_KEY", "", "missing: AWS_SECRET_ACCESS_KEY"),
        ("AWS_DEFAULT_REGION", "no region", "no region"),
    ],
)
def test_what_the_library_is_told_may_be_wrong(monkeypatch, name, value, said):
    """It is a mistake in the environment, told before any request, however S3 is used."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv(name, value)
    url = f"http://127.0.0.1:{free_port()}"
    where = Location("bucket", "key")

    for use in (
        lambda made: made.warm(),
        Fetcher,
        lambda made: read_object(made, where),
    ):
        with pytest.raises(S3BadConfig, match=said):
            use(S3Connection(url, sleep=lambda _: None))


def test_credentials_that_cannot_be_had_are_told_by_the_request(moto, monkeypatch, tmp_path):
    """Also where plain requests would have been made: a program that should tell them is not."""
    config = tmp_path / "config"
    config.write_text(f"[profile by-program]\ncredential_process = {tmp_path}/none\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "by-program")
    connection = S3Connection(moto.url)

    with pytest.raises(S3BadConfig, match=f"{tmp_path}/none"):
        Fetcher(connection).fetch(Location("bucket", "key"), str(tmp_path / "x"))


def test_credentials_that_are_asked_for_in_vain_are_the_librarys_business(faulty, root, tmp_path):
    """A role that may not be taken, or a login that is over, is told by its request."""
    connection = faulty()
    write_object(connection, root, b"x")
    session = connection._session

    class Denied:
        def get_credentials(self):
            raise NoCredentialsError

    connection._session = Denied()
    try:
        assert connection.find_credentials() is None
        assert Fetcher(connection).fetch(root, str(tmp_path / "x"))[1].size == 1
    finally:
        connection._session = session


def test_a_server_that_speaks_no_tls_is_told(moto, monkeypatch, tmp_path):
    """As are authorities that are not there; at once, and however it is asked."""
    where = Location("bucket", "key")
    for bundle, said in (("", "WRONG_VERSION"), ("/none/authorities.pem", "No such file")):
        if bundle:
            monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
        connection = S3Connection(moto.url.replace("http:", "https:"), sleep=pytest.fail)
        for use in (
            lambda made: read_object(made, where),
            lambda made: Fetcher(made).fetch(where, str(tmp_path / "x")),
        ):
            with pytest.raises(S3Untrusted, match=said):
                use(connection)


def test_tls_that_breaks_off_is_tried_again(faulty, root):
    """It is as any connection that does."""
    connection = faulty()
    tries = iter([SSLError(endpoint_url="", error="EOF occurred in violation of protocol"), None])

    def request(_):
        error = next(tries)
        if error is not None:
            raise error

    connection.call("read", root, request)
    assert len(faulty.pauses) == 1


def test_credentials_may_be_corrected_while_a_program_runs(faulty, root, monkeypatch, tmp_path):
    """In a variable or in a file: the next request is made with those that are there then."""
    faulty()
    file = tmp_path / "credentials"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PLAIT_S3_ENDPOINT_URL", faulty.url)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    def identity():
        with S3(s3root=str(root)) as s3:
            s3.put("a", "x")
            return s3._connection.find_credentials().access_key

    unknown = b"<Error><Code>InvalidAccessKeyId</Code></Error>"
    with pytest.raises(S3BadCredentials):
        identity()
    file.write_text("[default]\naws_access_key_id = wrong\naws_secret_access_key = x\n")
    faulty(Rule(Fault.ERROR, "PUT", body=unknown, status=403))
    with pytest.raises(S3BadCredentials):
        identity()
    file.write_text("[default]\naws_access_key_id = right\naws_secret_access_key = x\n")
    assert identity() == "right"

    monkeypatch.setenv("AWS_PROFILE", "other")
    with pytest.raises(S3BadConfig):
        identity()
    file.write_text("[other]\naws_access_key_id = others\naws_secret_access_key = x\n")
    assert identity() == "others"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.delenv("AWS_PROFILE")
    assert identity() == "mine"


def test_the_library_may_be_missing(monkeypatch):
    """It is an extra, and how to get it is said."""
    monkeypatch.setitem(__import__("sys").modules, "boto3.session", None)
    with pytest.raises(S3NotInstalled, match=r"plait\[s3\]"):
        S3Connection("http://127.0.0.1:9").client()


def test_a_bug_is_no_trouble_of_s3(faulty, root):
    """An error of another kind goes on as it is."""

    def request(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        faulty().call("read", root, request)


def test_a_hanging_server_is_given_up(moto, monkeypatch, root):
    """PLAIT_S3_TIMEOUT says when; then the request is made again."""
    monkeypatch.setenv("PLAIT_S3_TIMEOUT", "0.2")
    with FaultProxy(moto.url, Plan([Rule(Fault.HANG, "PUT"), Rule(Fault.SLOW, "GET")])) as proxy:
        connection = S3Connection(proxy.url, sleep=lambda _: None)
        assert write_object(connection, root, b"x")
        assert len(proxy.plan.seen) == 2


def test_a_server_that_never_said_anything_is_given_up_soon(moto, monkeypatch, root):
    """It is as one that is not there; one that has answered before is tried as often as any."""
    monkeypatch.setenv("PLAIT_S3_TIMEOUT", "0.1")
    patience = RetryPlan(attempts=6, unreachable_seconds=0.15)
    with FaultProxy(moto.url, Plan([Rule(Fault.HANG, times=None)])) as proxy:
        connection = S3Connection(proxy.url, patience, sleep=lambda _: None)
        with pytest.raises(S3Unreachable):
            write_object(connection, root, b"x")
        assert len(proxy.plan.seen) in (1, 2)  # by how long a try took
        proxy.plan.rules[:] = []
        proxy.plan.seen.clear()
        assert write_object(connection, root, b"x")
        proxy.plan.rules[:] = [Rule(Fault.HANG, times=None)]
        with pytest.raises(S3Failed):
            write_object(connection, root, b"x")
        assert len(proxy.plan.seen) == 1 + 6


def test_a_warm_client_is_used_by_forks_only(moto, root, monkeypatch):
    """The process that made it makes another for itself; a fork takes it over."""
    connection = S3Connection(moto.url)
    connection.warm()
    warmed = connection._unused
    assert connection.client() is not warmed

    monkeypatch.setattr("os.getpid", lambda: -1)
    assert connection.client() is warmed
    assert write_object(connection, root, b"x")
    assert connection.requests == 1


def test_large_objects_go_and_come_in_parts(
    faulty, root, small_parts, large_file, tmp_path, download
):
    """Whatever happens to some of the parts."""
    faults = [Rule(Fault.CORRUPT, "partNumber=2"), Rule(Fault.RESET, "partNumber=3")]
    connection = faulty(*faults, Rule(Fault.TRUNCATED, "GET", skip=1))
    ended = []

    def note(upload_id):
        return lambda: ended.append(upload_id)

    assert write_file(connection, root, str(large_file), note=note)
    facts = download(connection, root, str(tmp_path / "copy"))

    assert (tmp_path / "copy").read_bytes() == large_file.read_bytes()
    assert (facts.size, len(ended)) == (12 * MB, 1)


def test_the_end_of_an_upload_may_get_lost(faulty, root, small_parts, large_file):
    """It is done all the same; a second upload finds the first's object."""
    connection = faulty(Rule(Fault.LOST, r"POST .*uploadId="))

    assert write_file(connection, root, str(large_file), exclusive=True)
    assert not write_file(connection, root, str(large_file), exclusive=True)


def test_a_failed_upload_leaves_no_parts(faulty, root, small_parts, large_file):
    """Those that were sent are dropped, and the error is that of the part."""
    denied = b"<Error><Code>AccessDenied</Code></Error>"
    connection = faulty(Rule(Fault.ERROR, "partNumber=3", body=denied, status=403))
    with pytest.raises(S3AccessDenied):
        write_file(connection, root, str(large_file))
    left = connection.client().list_multipart_uploads(Bucket=root.bucket, Prefix=root.key)

    assert "Uploads" not in left
    missing = b"<Error><Code>NoSuchUpload</Code></Error>"
    connection = faulty(Rule(Fault.ERROR, "POST .*uploadId=", body=missing, status=404))
    with pytest.raises(S3NotFound):
        write_file(connection, root, str(large_file))


def test_an_object_that_changes_while_it_is_read(
    faulty, root, small_parts, large_file, tmp_path, monkeypatch, download
):
    """Parts of two objects are never put together."""
    write_file(faulty(), root, str(large_file))
    start = Fetcher._start

    def read_then_change(fetcher, where, sink):
        found = start(fetcher, where, sink)
        large_file.write_bytes(bytes(12 * MB))
        write_file(faulty(), root, str(large_file))
        return found

    monkeypatch.setattr(Fetcher, "_start", read_then_change)
    with pytest.raises(S3Error, match="changed while it was read"):
        download(faulty(), root, str(tmp_path / "copy"))


def test_a_file_that_becomes_shorter_while_it_is_sent(faulty, root, small_parts, large_file):
    """No object is made of what is left of it."""

    def shorten(_):
        os.truncate(large_file, 11 * MB)
        return lambda: None

    with pytest.raises(S3Failed, match="became shorter"):
        write_file(faulty(), root, str(large_file), note=shorten)
    with pytest.raises(S3NotFound):
        read_facts(faulty(), root)


def test_what_is_not_there(faulty, root, tmp_path):
    """Reading says so; removing and dropping have nothing to do."""
    connection = faulty(Rule(Fault.ERROR, "DELETE", times=2, body=b"", status=404))
    for read in (read_facts, read_object):
        with pytest.raises(S3NotFound, match="there is nothing at s3://"):
            read(connection, root)
    remove_object(connection, root)
    abort_upload(connection, root, "none")


def test_ranges(faulty, root):
    """What there is of a range; none at all is an error with a name."""
    connection = faulty()
    write_object(connection, root, b"0123456789")

    assert read_object(connection, root, 2, 3)[0] == b"234"
    assert read_object(connection, root, 8)[0] == b"89"
    with pytest.raises(S3InvalidRange, match="no such range"):
        read_object(connection, root, 10, 1)


def test_listings_have_pages(faulty, root):
    """Each page goes on where the one before it ended."""
    connection = faulty()
    for name in ("a", "b", "c/d"):
        write_object(connection, root.child(name), b"")
    client = connection.client()

    def one(**given):
        given["params"].update(MaxKeys=1)

    client.meta.events.register("provide-client-params.s3.ListObjectsV2", one)
    try:
        found = [n for n, _ in iter_objects(connection, root.child(""), folders=True)]
    finally:
        client.meta.events.unregister("provide-client-params.s3.ListObjectsV2", one)

    assert found == [f"{root.key}/{name}" for name in ("a", "b", "c/")]
