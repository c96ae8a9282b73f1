import pytest

from heron.editor.workspace.private import compile_private


@pytest.mark.parametrize(
    "path",
    [
        *(".env", "a/.env", ".env.local", "prod.env", ".ENV", ".envrc", "id_rsa", "keys/id_ed25519.pub", "deploy_rsa"),
        *(
            "server.pem",
            "a/b/tls.key",
            "store.p12",
            "x.jks",
            ".netrc",
            ".npmrc",
            ".pypirc",
            ".pgpass",
            ".git-credentials",
        ),
        *(
            ".aws/config",
            "home/.ssh/config",
            ".gnupg/x",
            ".git/config",
            "credentials",
            "credentials.json",
            "secrets.yaml",
        ),
        *(
            "gcp-credentials.json",
            "service-account-x.json",
            "terraform.tfstate",
            "prod.tfvars",
            ".bash_history",
            "auth.json",
        ),
        *(
            ".env/nested.txt",
            ".kube/config",
            "x/.config/gh/hosts.yml",
            "client_secret_1.json",
            ".htpasswd",
            "vault.kdbx",
        ),
    ],
)
def test_private(path: str) -> None:
    assert compile_private()(path)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "environment.py",
            "src/env.py",
            "credentials.py",
            "secrets.go",
            "auth.py",
            "key.rs",
            "keys/map.ts",
            "tokens.css",
        ),
        *(".gitignore", ".github/workflows/a.yml", "password_reset.html", "docs/secret.md", "monkey.py", "pem.py"),
    ],
)
def test_not_private(path: str) -> None:
    assert not compile_private()(path)


def test_what_the_setting_excludes() -> None:
    is_private = compile_private(("customers/", "*.sql", "!schema.sql"))
    assert is_private("customers/a.py")
    assert is_private("db/dump.sql")
    assert not is_private("db/schema.sql")
    assert is_private(".env")
