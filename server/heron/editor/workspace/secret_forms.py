"""Secrets that show by their form: tokens with a prefix or a shape of their own, and the forms `detect-secrets` knows.

Forms are as their issuers document them, with lengths taken a little shorter, so that a next generation is still met.
"""

import importlib
import re
from collections.abc import Iterator
from functools import cache

Span = tuple[int, int]
"""Start and end of a secret in a line."""

_FORMS = (
    # clouds
    r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}",
    r"AIza[\w-]{30,}",
    r"GOCSPX-[\w-]{20,}",
    r"ya29\.[\w-]{20,}",
    r"1//0[\w-]{20,}",
    r"\w{3}[78]Q~[\w~.-]{30,}",
    r"do[opr]_v1_[a-f0-9]{40,}",
    r"tskey-(?:[a-z]+-)?\w{8,}-\w{16,}",
    r"(?:fo1|fm[12])_[\w-]{20,}",
    r"hv[sbr]\.[\w-]{20,}",
    r"\w{14}\.atlasv1\.[\w-]{50,}",
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.\w{30,}",
    r"pscale_(?:tkn|pw|oauth)_[\w.-]{20,}",
    r"sb[pv]_[0-9a-f]{32,}|sb_secret_[\w-]{20,}",
    r"dapi[a-f0-9]{32}(?:-\d)?",
    r"napi_\w{40,}",
    # code hosts and registries
    r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,}",
    r"gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[\w.-]{18,}|GR1348941[\w-]{18,}",
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-[\w-]{50,}",
    r"rubygems_[0-9a-f]{40,}",
    r"dckr_(?:pat|oat)_[\w-]{20,}",
    r"oy2[a-z0-9]{43}",
    r"cio[A-Za-z0-9]{32}",
    r"bk(?:ua|at|ct|pt)_[0-9a-f]{40}",
    r"CCIPAT_\w{20,}_[0-9a-f]{40}",
    r"ATATT3[\w=-]{50,}|ATBB\w{24,}|ATCTT3[\w=-]{50,}",
    r"sonar_\w{30,}|sq[apu]_[0-9a-f]{40}",
    # models
    r"sk-(?:ant|proj|svcacct|admin|or|lf|None)-[\w-]{20,}|sk-[A-Za-z0-9]{20,}",
    r"hf_[A-Za-z0-9]{30,}|api_org_[A-Za-z0-9]{30,}",
    r"gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{60,}|pplx-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}|tgp_v1_[\w-]{30,}",
    # messages
    r"xox[abceoprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}|xwfp-[\w-]{10,}",
    r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/+-]{20,}",
    r"discord(?:app)?\.com/api/webhooks/\d{10,}/[\w-]{30,}",
    r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}",
    r"\d{8,10}:AA[\w-]{30,}",
    r"SG\.[\w-]{16,}\.[\w-]{16,}",
    r"(?:SK|AC)[0-9a-f]{32}",
    r"key-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}",
    # money and shops
    r"(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,}",
    r"shp(?:at|ca|pa|ss|tka)_[A-Fa-f0-9]{32,}",
    r"sq0[a-z]{3}-[\w-]{20,}|EAAA[\w-]{56,}",
    r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    # work
    r"secret_[A-Za-z0-9]{40,}|ntn_[A-Za-z0-9]{40,}",
    r"lin_(?:api|oauth)_[A-Za-z0-9]{30,}",
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    r"figd_[\w-]{36,}",
    r"pat[A-Za-z0-9]{14}\.[0-9a-f]{60,}",
    r"NRAK-[A-Z0-9]{27}|NRJS-[0-9a-f]{19}|NRI[IQ]-[\w-]{32}",
    r"sntry[su]_[\w+/=-]{40,}",
    r"glsa_\w{32,}|glc_[\w+/=]{32,}|eyJrIjoi[\w+/=-]{60,}",
    r"tfp_[\w-]{40,}|CFPAT-[\w-]{40,}|EAACEdEose0cBA\w+",
    r"phc_\w{40,}|phx_\w{40,}",
    # general
    r"eyJ[\w-]{10,}\.[\w-]{10,}\.?[\w+/=-]*",
    r"AAAA[\w-]{7}:[\w-]{100,}",
    r"AGE-SECRET-KEY-1[0-9A-Z]{50,}",
    r"(?:AccountKey|SharedAccessKey|SharedAccessSignature)=[\w+/=%&-]{20,}",
)
_KNOWN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_FORMS)})")

_PLUGINS = (
    *("artifactory", "aws", "azure_storage_key", "cloudant", "discord", "github_token", "gitlab_token"),
    *("ibm_cloud_iam", "ibm_cos_hmac", "mailchimp", "npm", "openai", "pypi_token", "sendgrid", "slack", "softlayer"),
    *("square_oauth", "stripe", "telegram_token", "twilio"),
)
"""Those of detect-secrets that judge by form. Its entropy, keyword and address plugins report much plain code."""


def find_known(line: str) -> Iterator[Span]:
    """Secrets of a known form."""
    yield from (match.span() for match in _KNOWN.finditer(line))
    yield from (match.span() for match in _load_plugin_forms().finditer(line))


@cache
def _load_plugin_forms() -> re.Pattern[str]:
    """All forms of detect-secrets as one expression. Its import takes 130 ms and waits for the first suspect line."""
    forms = [form for name in _PLUGINS for form in _plugin_forms(name)]
    return re.compile("|".join(_scoped(form) for form in dict.fromkeys(forms)))


def _plugin_forms(name: str) -> list[re.Pattern[str]]:
    module = importlib.import_module(f"detect_secrets.plugins.{name}")
    found = [getattr(module, attribute) for attribute in dir(module)]
    kinds = [kind for kind in found if isinstance(kind, type) and kind.__module__ == module.__name__]
    return [form for kind in kinds for form in getattr(kind, "denylist", ())]


def _scoped(form: re.Pattern[str]) -> str:
    """An expression with its own case rule, so that it can stand beside others."""
    return f"(?i:{form.pattern})" if form.flags & re.IGNORECASE else f"(?:{form.pattern})"
