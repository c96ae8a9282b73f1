"""The packages whose calls are cut out: those that were read while Heron was tuned, and those kept for the figures."""

from collections.abc import Mapping

from bench.quality.packages import Package

Packages = Mapping[str, tuple[Package, ...]]
"""Of each language."""

_GO, _RUST = "usr/share/gocode/src", "usr/share/cargo/registry"

READ: Packages = {
    "python": (
        Package("pip", "werkzeug", "3.1.3"),
        Package("pip", "rich", "14.0.0"),
        Package("pip", "pygls", "2.1.1"),
        Package("pip", "aiohttp", "3.12.14"),
        Package("pip", "trio", "0.30.0"),
        Package("pip", "httpx", "0.28.1"),
    ),
    "typescript": (
        Package("npm", "@tanstack/query-core", "5.62.0", "package/src"),
        Package("npm", "@reduxjs/toolkit", "2.8.2", "package/src"),
        Package("npm", "effect", "3.17.0", "package/src"),
        Package("npm", "immer", "10.1.1", "package/src"),
    ),
    "go": (
        Package("deb", "golang-github-prometheus-client-golang-dev", "1.14.0-3", _GO),
        Package("deb", "golang-github-hashicorp-hcl-v2-dev", "2.14.1-2", _GO),
        Package("deb", "golang-github-yuin-goldmark-dev", "1.5.4-1", _GO),
        Package("deb", "golang-github-alecthomas-chroma-v2-dev", "2.5.0-1", _GO),
    ),
    "rust": (
        Package("deb", "librust-rayon-dev", "1.6.1-1", _RUST),
        Package("deb", "librust-tokio-dev", "1.24.2-1", _RUST),
        Package("deb", "librust-hyper-dev", "0.14.19-1", _RUST),
    ),
}
"""Their misses were looked at: to try things out on."""

FRESH: Packages = {
    "python": (
        Package("pip", "scrapy", "2.12.0"),
        Package("pip", "celery", "5.4.0"),
        Package("pip", "textual", "1.0.0"),
        Package("pip", "starlette", "0.45.0"),
        Package("pip", "sphinx", "8.1.3"),
        Package("pip", "litestar", "2.13.0"),
    ),
    "typescript": (
        Package("npm", "rxjs", "7.8.1", "package/src"),
        Package("npm", "mobx", "6.13.5", "package/src"),
        Package("npm", "@xterm/xterm", "5.5.0", "package/src"),
        Package("npm", "@trpc/server", "11.0.0", "package/src"),
        Package("npm", "@react-navigation/core", "7.3.1", "package/src"),
        Package("npm", "@tanstack/table-core", "8.20.5", "package/src"),
    ),
    "go": (
        Package("deb", "golang-github-go-git-go-git-dev", "5.4.2-3", _GO),
        Package("deb", "golang-google-grpc-dev", "1.33.3-2", _GO),
        Package("deb", "golang-github-gin-gonic-gin-dev", "1.8.1-1", _GO),
        Package("deb", "golang-github-spf13-viper-dev", "1.10.1-1", _GO),
    ),
    "rust": (
        Package("deb", "librust-cargo-dev", "0.66.0-1", _RUST),
        Package("deb", "librust-h2-dev", "0.3.13-2", _RUST),
        Package("deb", "librust-rustls-dev", "0.20.8-4", _RUST),
        Package("deb", "librust-image-dev", "0.24.3-1", _RUST),
        Package("deb", "librust-reqwest-dev", "0.11.13-1", _RUST),
        Package("deb", "librust-clap-dev", "4.0.32-1", _RUST),
    ),
}
"""Nothing was changed after a look at their cases: figures are of these."""
