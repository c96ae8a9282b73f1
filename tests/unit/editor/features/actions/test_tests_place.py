"""Where tests go, by the folders there are."""

import pytest

from heron.editor.features.actions.tests_frame import module_name
from heron.editor.features.actions.tests_place import find_test_file


@pytest.mark.parametrize(
    ("language", "path", "there", "expected"),
    [
        ("python", "/w/cart.py", (), "/w/test_cart.py"),
        ("python", "/w/src/shop/cart.py", ("/w/tests",), "/w/tests/test_cart.py"),
        ("python", "/w/src/shop/cart.py", ("/w/tests", "/w/tests/shop"), "/w/tests/shop/test_cart.py"),
        ("python", "/w/shop/_cart.py", ("/w/tests", "/w/tests/unit"), "/w/tests/unit/test_cart.py"),
        ("python", "/w/shop/cart.py", ("/w/shop/test_cart.py", "/w/tests"), "/w/shop/test_cart.py"),
        ("python", "/w/in/shop/cart.py", ("/w/in/.git", "/w/tests"), "/w/in/shop/test_cart.py"),
        ("typescript", "/w/src/a.ts", (), "/w/src/a.test.ts"),
        ("typescript", "/w/src/a.ts", ("/w/src/__tests__",), "/w/src/__tests__/a.test.ts"),
        ("typescript", "/w/src/a.ts", ("/w/src/a.spec.ts",), "/w/src/a.spec.ts"),
        ("tsx", "/w/src/a.tsx", ("/w/package.json", "/w/test"), "/w/test/a.test.tsx"),
        ("go", "/w/a b/c.go", (), "/w/a%20b/c_test.go"),
        ("rust", "/w/src/lib.rs", (), "/w/src/lib.rs"),
        ("java", "/w/src/main/java/a/B.java", (), "/w/src/test/java/a/BTest.java"),
    ],
)
def test_the_convention_is_followed(language: str, path: str, there: tuple[str, ...], expected: str) -> None:
    known = {f"file://{name}" for name in there}
    uri = f"file://{path}".replace(" ", "%20")
    assert find_test_file(uri, language, known.__contains__) == f"file://{expected}"


def test_other_languages_have_no_place() -> None:
    assert find_test_file("file:///w/a.css", "css", lambda uri: True) is None


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("/w/cart.py", "cart"),
        ("/w/shop/cart.py", "cart"),
        ("/w/src/shop/cart.py", "shop.cart"),
        ("/w/src/shop/__init__.py", "shop"),
        ("/usr/lib/python3.11/site-packages/httpx/_urls.py", "httpx._urls"),
        ("/w/server/my-app/core/cart.py", "core.cart"),
    ],
)
def test_a_module_is_imported_by_its_name(path: str, module: str) -> None:
    assert module_name(path) == module
