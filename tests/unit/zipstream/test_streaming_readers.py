"""What programs make of our zips that get them through a pipe, so that none can look at the end first."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest
from readingroom.zipstream import Archive
from stream_unzip import stream_unzip

from tests.unit.zipstream.readers import FILES, GIB4, KINDS, program
from tests.unit.zipstream.stores import zeros_archive

JAVA = """
import java.io.*; import java.util.zip.*;
public class ReadZip { public static void main(String[] a) throws Exception {
  long n = 0, bytes = 0; byte[] b = new byte[65536];
  try (ZipInputStream z = new ZipInputStream(new BufferedInputStream(System.in))) {
    while (z.getNextEntry() != null) { n++; for (int r; (r = z.read(b)) > 0; ) bytes += r; } }
  System.out.println(n + " " + bytes); } }
"""


@pytest.fixture(scope="module")
def java_reader(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Reads a zip from its input as Java programs do, and tells how many files and bytes it found."""
    folder = tmp_path_factory.mktemp("java")
    (folder / "ReadZip.java").write_text(JAVA)
    # Debian's own `ecj` looks for itself in a jar that it has been moved out of.
    compiler = [program("java"), "-cp", "/usr/share/java/*", "org.eclipse.jdt.internal.compiler.batch.Main"]
    subprocess.run([*compiler, "-17", "-nowarn", "-d", folder, folder / "ReadZip.java"], check=True)
    return [program("java"), "-cp", str(folder), "ReadZip"]


def piped(command: list[str], archive: Archive) -> bytes:
    """What a program says that gets the archive through a pipe."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"}
    ) as process:
        into = process.stdin
        assert into is not None
        assert process.stdout is not None

        def feed() -> None:
            with into:
                for piece in archive.stream(piece=4 << 20):
                    into.write(piece)

        feeding = threading.Thread(target=feed)
        feeding.start()
        said = process.stdout.read()
        feeding.join()
    assert process.returncode == 0
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_java_reads_it_as_a_stream(kind: str, java_reader: list[str]) -> None:
    assert piped(java_reader, KINDS[kind]()).split() == [b"%d" % len(FILES), b"%d" % sum(map(len, FILES.values()))]


@pytest.mark.parametrize("kind", KINDS)
def test_libarchive_reads_it_as_a_stream(kind: str) -> None:
    assert piped([program("bsdtar"), "-xOf", "-"], KINDS[kind]()) == b"".join(FILES.values())


@pytest.mark.parametrize("kind", KINDS)
def test_python_reads_it_as_a_stream(kind: str) -> None:
    read = [(size, b"".join(chunks)) for _, size, chunks in stream_unzip(KINDS[kind]().stream(piece=777))]
    assert [content for _, content in read] == list(FILES.values())


def test_streams_of_more_than_4_gib_whose_crcs_are_learnt_are_read_to_their_end(java_reader: list[str]) -> None:
    def large() -> Archive:
        return zeros_archive([GIB4 + 99, 1234], late=True)

    assert piped(java_reader, large()).split() == [b"2", b"%d" % (GIB4 + 99 + 1234)]
    assert len(piped([program("bsdtar"), "-tf", "-"], large()).split()) == 2
    sizes = [sum(map(len, chunks)) for _, _, chunks in stream_unzip(large().stream(), chunk_size=1 << 20)]
    assert sizes == [GIB4 + 99, 1234]
