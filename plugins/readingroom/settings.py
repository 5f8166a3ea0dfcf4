"""Every setting, read once from the environment and the data folder, checked, with secrets masked."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from readingroom.errors import SettingsError

MIN_SECRET_BYTES = 32
"""RFC 7518 section 3.2: an HS256 key has at least the size of the hash."""

TYPEABLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""What a made password consists of."""

TrustedRoles = dict[str, Literal["admin", "staff", "student", "clinician"]]


class Settings(BaseSettings):
    """What a site can set; each field's alias is its environment variable."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    data: Path = Field(alias="READINGROOM_DATA", description="Folder that holds everything of this instance")
    database_url: str = Field(
        "", alias="DATABASE_URL", description="PostgreSQL address; empty: SQLite in the data folder"
    )
    public_url: str = Field("", alias="READINGROOM_PUBLIC_URL", description="Address that users see, for links")
    orthanc_url: str = Field(
        "http://127.0.0.1:8042", alias="READINGROOM_ORTHANC_URL", description="Where workers reach Orthanc"
    )
    orthanc_storage: Path | None = Field(
        None,
        alias="READINGROOM_ORTHANC_STORAGE",
        description="Orthanc's storage folder where it is local; empty: files are read through Orthanc",
    )

    zip_socket: Path | None = Field(
        None,
        alias="READINGROOM_ZIP_SOCKET",
        description="Unix socket that the gateway takes zips from; empty: slice by slice through Orthanc",
    )

    python: str = Field(
        "",
        alias="READINGROOM_PYTHON",
        description="Interpreter that workers are started with; sys.executable is none inside Orthanc",
    )

    jwt_secret: SecretStr = Field(
        SecretStr(""),
        alias="JWT_SECRET",
        description="Key of our own tokens (HS256, 32 bytes or more); made on first start",
    )
    jwt_issuer: str = Field("readingroom", alias="JWT_ISSUER", description="Issuer of our own tokens")
    jwt_audience: str = Field("readingroom", alias="JWT_AUDIENCE", description="Audience of our own tokens")
    jwt_outside_issuer: str = Field(
        "", alias="JWT_OUTSIDE_ISSUER", description="Issuer of outside tokens; empty: none are accepted"
    )
    jwt_outside_audience: str = Field(
        "", alias="JWT_OUTSIDE_AUDIENCE", description="Audience that outside tokens must carry"
    )
    jwt_outside_algorithm: Literal["HS256", "RS256", "ES256"] = Field(
        "HS256", alias="JWT_OUTSIDE_ALGORITHM", description="The one algorithm accepted from outside"
    )
    jwt_outside_secret: SecretStr = Field(
        SecretStr(""), alias="JWT_OUTSIDE_SECRET", description="HS256 key of outside tokens"
    )
    jwt_jwks_url: str = Field(
        "", alias="JWT_JWKS_URL", description="Where the outside issuer publishes its RS256/ES256 keys"
    )
    jwt_trusted_roles: TrustedRoles = Field(
        default_factory=dict,
        alias="JWT_TRUSTED_ROLES",
        description='JSON: role claim of an outside token → our role, e.g. {"radiologist": "staff"}',
    )
    access_minutes: int = Field(15, ge=1, alias="ACCESS_TOKEN_MINUTES", description="Life of an access token")
    refresh_days: int = Field(14, ge=1, alias="REFRESH_TOKEN_DAYS", description="Life of a refresh token")
    gateway_secret: SecretStr = Field(
        SecretStr(""),
        alias="READINGROOM_GATEWAY_SECRET",
        description="Shared by gateway and plugin; made on first start",
    )
    admin_password: SecretStr = Field(
        SecretStr(""),
        alias="READINGROOM_ADMIN_PASSWORD",
        description="First password of `admin`; empty: a random one, printed once",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), alias="CORS_ORIGINS", description="Origins that may call from other pages, separated by commas"
    )

    cases_source: str = Field(
        "", alias="IMPORT_SOURCE", description="Source of imports started from the web or by schedule"
    )
    cases_schedule: str = Field(
        "",
        alias="IMPORT_SCHEDULE",
        description="When to import: `HH:MM` daily (UTC) or `every 6h`; empty: never",
    )
    import_deidentify: bool = Field(
        False,
        alias="IMPORT_DEIDENTIFY",
        description="Whether imports by schedule de-identify what they bring",
    )
    import_roots: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        alias="IMPORT_ALLOWED_ROOTS",
        description="Further sources, separated by commas, that the web may import from: each, or what lies below it",
    )
    import_workers: int = Field(4, ge=1, le=64, alias="IMPORT_WORKERS", description="Uploads at a time")
    sftp_host: str = Field("", alias="SFTP_HOST", description="Host of the cases' SFTP server")
    sftp_port: int = Field(22, alias="SFTP_PORT", description="Its port")
    sftp_username: str = Field("", alias="SFTP_USERNAME", description="Account there")
    sftp_password: SecretStr = Field(
        SecretStr(""), alias="SFTP_PASSWORD", description="Its password, where no key is used"
    )
    sftp_private_key_path: Path | None = Field(None, alias="SFTP_PRIVATE_KEY_PATH", description="Private key file")
    sftp_private_key_passphrase: SecretStr = Field(
        SecretStr(""), alias="SFTP_PRIVATE_KEY_PASSPHRASE", description="Its passphrase"
    )
    sftp_known_hosts: Path | None = Field(
        None, alias="SFTP_KNOWN_HOSTS", description="known_hosts file; default ~/.ssh/known_hosts"
    )
    sftp_host_fingerprint: str = Field(
        "", alias="SFTP_HOST_FINGERPRINT", description="Pinned host key, `SHA256:…`, instead of known_hosts"
    )
    bestof_base_path: str = Field(
        "/data/bestof", alias="BESTOF_DICOMS_BASE_PATH", description="Folder of the cases at the source"
    )
    smb_username: str = Field("", alias="SMB_USERNAME", description="Account for smb:// sources")
    smb_password: SecretStr = Field(SecretStr(""), alias="SMB_PASSWORD", description="Its password")
    smb_domain: str = Field("", alias="SMB_DOMAIN", description="Its domain or workgroup")
    smb_encryption: Literal["if_offered", "required", "off"] = Field(
        "if_offered", alias="SMB_ENCRYPTION", description="Whether smb:// sources must encrypt"
    )

    nas_config: Path | None = Field(
        None,
        alias="NAS_CONFIG",
        description="File of the sources to index (JSON); empty: nas_config.json in the data folder",
    )
    nas_roots: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        alias="NAS_ALLOWED_ROOTS",
        description="Folders and addresses, separated by commas, that the web may index: each, or what lies below it",
    )
    nas_path_map: str = Field(
        "",
        alias="NAS_PATH_MAP",
        description=r"Which mounts the Windows paths of a list stand for: `\\nas\images=/mnt/images; Z:=/mnt/archive`",
    )
    nas_profile: Literal["south-africa", "none"] = Field(
        "south-africa",
        alias="NAS_PROFILE",
        description="Region whose hospitals, medical aids and time zone are used, or `none`",
    )
    nas_profile_file: Path | None = Field(
        None, alias="NAS_PROFILE_FILE", description="The site's own names for that profile (JSON), added to what it has"
    )
    nas_wait_minutes: float = Field(
        60,
        gt=0,
        alias="NAS_WAIT_MINUTES",
        description="How long an index run waits for a source that went away before it ends",
    )

    ticket_minutes: int = Field(
        5, ge=1, alias="TICKET_MINUTES", description="Life of a download link before it is followed"
    )
    download_hours: int = Field(
        24,
        ge=1,
        alias="DOWNLOAD_HOURS",
        description="How long a download that began may go on, resumes included",
    )
    share_max_hours: int = Field(720, ge=1, alias="SHARE_MAX_HOURS", description="Longest life of a shared link")
    share_log_days: int = Field(
        400, ge=31, alias="SHARE_LOG_DAYS", description="How long it is kept who used a shared link"
    )
    share_streams_per_link: int = Field(
        4, ge=1, alias="SHARE_STREAMS_PER_LINK", description="Downloads at a time by one shared link"
    )
    share_streams: int = Field(32, ge=1, alias="SHARE_STREAMS", description="Downloads at a time by all shared links")
    frame_streams: int = Field(
        128, ge=1, alias="FRAME_STREAMS", description="Requests of viewers for frames that are answered at a time"
    )
    frame_streams_each: int = Field(
        32, ge=1, alias="FRAME_STREAMS_EACH", description="The same for one account, or for all holders of one link"
    )
    frame_cache_mb: int = Field(
        4096,
        ge=0,
        alias="FRAME_CACHE_MB",
        description="Largest size of `cache/frames` in the data folder, where decoded and compressed frames are kept; "
        "0: none are",
    )
    frames_beforehand: Literal["auto", "always", "never"] = Field(
        "auto",
        alias="FRAMES_BEFOREHAND",
        description="Compress the frames of series that Orthanc has got, while nobody asks for any: `auto`, as long as "
        "viewers come on slow lines, `always`, or `never`",
    )
    imaging_backend: Literal["nfs", "s3"] = Field(
        "nfs",
        alias="IMAGING_STORAGE_BACKEND",
        description="Where imaging assets are kept: `nfs` (a folder, mounted or local) or `s3`",
    )
    imaging_nfs_base: Path | None = Field(
        None,
        alias="IMAGING_NFS_BASE_DIR",
        description="Folder of imaging assets; empty: `imaging` in the data folder",
    )
    imaging_s3_endpoint: str = Field(
        "", alias="IMAGING_S3_ENDPOINT", description="Address of the S3 server, `http://minio:9000`; empty: Amazon's"
    )
    imaging_s3_region: str = Field("us-east-1", alias="IMAGING_S3_REGION", description="Region of the bucket")
    imaging_s3_bucket: str = Field("", alias="IMAGING_S3_BUCKET", description="The bucket; it must be there already")
    imaging_s3_access_key: SecretStr = Field(
        SecretStr(""),
        alias="IMAGING_S3_ACCESS_KEY_ID",
        description="Access key; empty: what the machine has (environment, instance role)",
    )
    imaging_s3_secret_key: SecretStr = Field(
        SecretStr(""), alias="IMAGING_S3_SECRET_ACCESS_KEY", description="Its secret"
    )
    imaging_s3_path_style: bool = Field(
        True,
        alias="IMAGING_S3_FORCE_PATH_STYLE",
        description="Whether the bucket stands in the path, not in the host name (MinIO: `true`)",
    )
    imaging_max_upload_mb: int = Field(
        100,
        ge=1,
        le=4096,
        alias="IMAGING_MAX_UPLOAD_MB",
        description="Largest imaging asset, in MB of 1024 × 1024 bytes",
    )
    imaging_thumbs: bool = Field(
        True, alias="IMAGING_THUMBS_ENABLED", description="Whether thumbnails and web pictures of assets are made"
    )
    imaging_patient_table: str = Field(
        "",
        alias="IMAGING_PATIENT_TABLE",
        description="Site's table of patients with columns `id` and `clinic_id`, such as `public.patient`; "
        "empty: a patient id is a name inside its clinic",
    )
    imaging_upload_hours: int = Field(
        24,
        ge=1,
        le=24 * 30,
        alias="IMAGING_UPLOAD_HOURS",
        description="How long an upload in parts waits for its next part before it is given up",
    )
    imaging_deleted_days: int | None = Field(
        None,
        ge=0,
        alias="IMAGING_DELETED_DAYS",
        description="Days after which the bytes of a deleted asset are erased; empty: they are kept",
    )
    imaging_max_pixels: int = Field(
        120_000_000,
        ge=1_000_000,
        le=400_000_000,
        alias="IMAGING_MAX_PIXELS",
        description="Largest picture that is accepted, width × height",
    )
    imaging_max_pages: int = Field(
        500, ge=1, le=10_000, alias="IMAGING_MAX_PAGES", description="Most pages of a PDF or TIFF that is accepted"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING"] = Field(
        "INFO", alias="READINGROOM_LOG_LEVEL", description="What reaches the log"
    )

    @field_validator("cors_origins", "import_roots", "nas_roots", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Read the environment, fill what the data folder keeps, and check it.

        Raises SettingsError naming each setting that is missing or wrong.
        """
        try:
            settings = cls(**overrides)  # type: ignore[arg-type]  # pydantic checks what comes in
        except ValidationError as error:
            said = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
            raise SettingsError(f"Settings do not fit: {said}") from None
        return settings._with_kept_secrets()

    def _with_kept_secrets(self) -> Settings:
        kept: dict[str, object] = {}
        for field, name in (("jwt_secret", "jwt_secret"), ("gateway_secret", "gateway_secret")):
            if not getattr(self, field).get_secret_value():
                kept[field] = SecretStr(kept_secret(self.data, name))
        if not self.database_url:
            kept["database_url"] = f"sqlite:///{self.data / 'readingroom.db'}"
        whole = self.model_copy(update=kept)
        if len(whole.jwt_secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise SettingsError(f"JWT_SECRET is shorter than {MIN_SECRET_BYTES} bytes; leave it unset to have one made")
        return whole


def kept_secret(data: Path, name: str) -> str:
    """The key of that name in the data folder, made on first use: 48 random bytes, URL-safe.

    Two processes that start together agree on the one that was there first.
    """
    return _kept(data, name, lambda: secrets.token_urlsafe(48))


def kept_password(data: Path, name: str) -> str:
    """The password of that name in the data folder, made on first use: four groups of five that a person can type.

    Some 98 random bits; letters and digits that look alike are left out.
    """
    return _kept(data, name, lambda: "-".join("".join(secrets.choice(TYPEABLE) for _ in range(5)) for _ in range(4)))


def _kept(data: Path, name: str, make: Callable[[], str]) -> str:
    # 0600, written beside its place and linked in: a name that exists holds a whole secret.
    folder = data / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = folder / name
    if not place.exists():
        fresh = folder / f".{name}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, place)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return place.read_text().strip()
