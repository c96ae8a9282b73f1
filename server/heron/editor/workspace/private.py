"""Names of files that are never read for a prompt or an index: keys, credentials, tokens, histories."""

import fnmatch
import re
from collections.abc import Callable
from functools import cache

PRIVATE_NAMES = (
    # environments
    *(".env", ".env.*", "*.env", ".envrc", "*.tfvars", "*.tfvars.json", "*.tfstate", "*.tfstate.*"),
    # keys and key stores
    *("*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk", "*.kdbx", "*.kdb", "*.asc", "*.gpg"),
    *("*.pgp", "*.keychain", "*.keychain-db", "*.ovpn", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*_rsa"),
    *("*_dsa", "*_ecdsa", "*_ed25519", "ssh_host_*_key", "*.agekey", "keys.txt.age"),
    # logins of programs
    *(".netrc", "_netrc", ".npmrc", ".yarnrc", ".yarnrc.yml", ".pypirc", ".pgpass", "pgpass.conf", ".my.cnf"),
    *(".mylogin.cnf", ".htpasswd", "htpasswd", ".git-credentials", ".dockercfg", ".dockerconfigjson", "kubeconfig"),
    *("*.kubeconfig", ".boto", ".s3cfg", ".authinfo", ".authinfo.*", ".vault-token", ".vault_pass*", ".vault-pass*"),
    *(".terraformrc", "terraform.rc", "*.tfrc", "*.tfrc.json", "auth.json", "settings-security.xml", "logins.json"),
    *("key3.db", "key4.db", "cookies.sqlite", "login data", "shadow", "gshadow", ".rhosts", ".cvspass"),
    # by what they say they are
    *("credentials", ".credentials", "credentials.json", "credentials.y*ml", "credentials.toml", "credentials.xml"),
    *("credentials.ini", "credentials.csv", "credentials.enc", "credentials.*.enc", "credentials.db", ".credentials.*"),
    *("*-credentials.json", "*_credentials.json", "*credentials*.csv", "client_secret*.json", "service-account*.json"),
    *("service_account*.json", "secrets", ".secrets", "secrets.json", "secrets.y*ml", "secrets.toml", "secrets.ini"),
    *("secrets.properties", "secrets.xml", "secrets.env", ".secrets.*", "secret.y*ml", "secret.json", "secret.toml"),
    *("*.secret", "*.secrets", "secrets.*.json", "secrets.*.y*ml", "passwords.*", "passwords", "token.json"),
    # histories
    *(".bash_history", ".zsh_history", ".python_history", ".psql_history", ".mysql_history", ".node_repl_history"),
    *(".irb_history", ".sqlite_history", ".rediscli_history", ".lesshst", ".viminfo"),
)
"""Matched against the lower-cased name of a file and of every folder above it."""

PRIVATE_FOLDERS = (
    *(".git", ".hg", ".svn", ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store", ".gcloud"),
    *("*.keychain", ".secrets", ".vault"),
)

PRIVATE_PATHS = ("*/.config/gcloud/*", "*/.config/gh/*", "*/.config/hub", "*/.m2/settings.xml", "*/.git/*")


def compile_private(exclude: tuple[str, ...] = ()) -> Callable[[str], bool]:
    """The test of a path relative to its workspace folder. `exclude` adds patterns written as in .gitignore."""
    names, folders, paths = (_union(PRIVATE_NAMES), _union(PRIVATE_FOLDERS), _union(PRIVATE_PATHS))
    is_excluded = _compile_exclude(exclude)

    def is_private(relative: str) -> bool:
        lowered = relative.lower()
        *above, name = lowered.split("/")
        return bool(
            names.match(name)
            or any(folders.match(part) or names.match(part) for part in above)
            or folders.match(name)
            or paths.match(f"/{lowered}")
            or is_excluded(relative)
        )

    return is_private


@cache
def _union(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))


def _compile_exclude(exclude: tuple[str, ...]) -> Callable[[str], bool]:
    if not exclude:
        return lambda relative: False
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(exclude).match_file
