"""Texts made for this project, each with the kind of what must be masked in it, or with nothing.

Values that look like keys are put together when the tests run: none stands in the repository. Numbers are from
ranges reserved for fiction, or examples of their standards.
"""

import random
from collections.abc import Iterator

_random = random.Random(20261123)  # noqa: S311 - the same texts in every run
_ALNUM = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"


def made(length: int, alphabet: str = _ALNUM) -> str:
    return "".join(_random.choice(alphabet) for _ in range(length))


def with_luhn(digits: str) -> str:
    from stdnum import luhn

    return digits + luhn.calc_check_digit(digits)


def grouped(digits: str, separator: str = " ") -> str:
    return separator.join(digits[i : i + 4] for i in range(0, len(digits), 4))


VALUES: dict[str, list[str]] = {
    "api_key": [
        "sk-" + made(40), "sk-proj-" + made(44), "sk-lf-" + "-".join((made(8), made(4), made(12))), "ghp_" + made(36),
        "AKIA" + made(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), "xoxb-" + made(24), "AIza" + made(35), "hf_" + made(34),
        "glpat-" + made(20), "app-" + made(24), "dataset-" + made(24), "sk_live_" + made(24), "gsk_" + made(40),
    ],
    "jwt": ["eyJ" + made(20) + ".eyJ" + made(30) + "." + made(43) for _ in range(3)],
    "email": ["ana.silva@example.com", "li+shop@mail.example.org", "j_doe@sub.example.co.uk", "taro@example.jp",
              "m\u00fcller@example.de", "info@\u4f8b\u3048.jp"],
    "iban": ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32",
             "FR1420041010050500013M02606", "ES91 2100 0418 4502 0005 1332", "NL91 ABNA 0417 1643 00"],
    "card": [grouped(with_luhn("424242424242424")), with_luhn("510510510510510"), with_luhn("37828224631000"),
             grouped(with_luhn("601111111111111"), "-"), with_luhn("356600202036050"), grouped(with_luhn("401288888888188"))],
    "phone": ["+1 201-555-0123", "+49 30 23125 014", "+44 20 7946 0958", "+86 138 1234 5678", "13812345678",
              "138-1234-5678", "090-1234-5678", "03-1234-5678", "(201) 555-0123", "201-555-0123", "+55 11 91234-5678",
              "(11) 91234-5678", "+81 90-1234-5678", "+33 1 99 00 12 34", "010-2000-0000", "+91 98765 43210"],
    "national_id": ["11010519491231002X", "110105194912310029"[:17] + "X", "390.533.447-05", "54362315K", "X2482300W",
                    "2 95 10 99 126 111 93", "RCCMNL83S18D969H"],
    "ip_address": ["203.0.113.7", "198.51.100.23", "10.0.0.12", "2001:db8::8a2e:370:7334", "2001:db8:0:1:1:1:1:1"],
}  # fmt: skip

CARRIERS = (
    "{}", "It is {}.", "Please use {} for this, thanks!", "Mein Wert ist {}, bitte speichern.", "O meu \u00e9 {}; obrigado.",
    "\u6211\u7684\u662f{}\uff0c\u8bf7\u67e5\u6536\u3002", "\u79c1\u306e\u306f{}\u3067\u3059\u3002", "\u8bf7\u8054\u7cfb {} \u8c22\u8c22",
    "\u9023\u7d61\u5148\uff1a{}", "(see {})", '"{}"', "a\t{}\nb", "C'est {} !", "\uc5f0\ub77d\ucc98: {}",
)  # fmt: skip

IN_WORDS: dict[str, list[str]] = {
    "password": [
        "password: hunter22x", "My password is: Tr0ub4dor&3", "passwd=S3cretValue", "api_key = " + made(12), "Passwort: geheim123",
        "senha: abc12345", "\u5bc6\u7801\uff1aabc12345", "\u5bc6\u7801\u662f\uff1aqwe9876", "\u30d1\u30b9\u30ef\u30fc\u30c9\uff1ahimitsu99",
        "\u30d1\u30b9\u30ef\u30fc\u30c9: naisho77",
        'client_secret="' + made(16) + '"', "contrase\u00f1a: perro2024", "mot de passe : soleil77", "\ube44\ubc00\ubc88\ud638: abcd1234",
    ],
    "bearer_token": ["Authorization: Bearer " + made(32), "curl -H 'Authorization: Basic " + made(24) + "=='"],
    "url_credentials": ["https://ana:" + made(10) + "@db.example/x", "postgres://app:" + made(8) + "@10-0-0-1.example:5432/d",
                        "redis://:" + made(12) + "@cache.example:6379"],
    "signed_url": ["https://files.example/a.png?timestamp=1&nonce=" + made(16) + "&sign=" + made(40),
                   "https://s3.example/b?X-Amz-Signature=" + made(64, "0123456789abcdef"),
                   "see https://api.example/v1?page=2&access_token=" + made(30) + " now"],
    "private_key": ["-----BEGIN " + "PRIVATE KEY-----\n" + made(60) + "\n-----END " + "PRIVATE KEY-----"],
    "phone": ["Tel. 030 23125 014", "call me at 020 7946 0958", "\u7535\u8bdd\uff1a021-61234567", "Telefon: 089 99998-012",
              "Celular: 11 91234-5678", "\u643a\u5e2f\uff1a09012345678"],
    "national_id": ["\u30de\u30a4\u30ca\u30f3\u30d0\u30fc\u306f123456789018", "CPF: 39053344705", "PESEL 44051401359",
                    "Steuer-ID 36574261809", "\u8eab\u4efd\u8bc1\u53f7\uff1a11010519491231002X"],
}  # fmt: skip

NEAR_MISSES = [
    "Order 2026010110 shipped on 2026-01-02 03:04:05.", "2026-01-01 10:00:00.000000", "version 1.2.3.4", "v10.15.7.1 is out",
    "Ticket 123-45-6789", "4111 1111 1111 1112", "1234 5678 9012 3456", "0000 0000 0000 0000", "DE00 3704 0044 0532 0130 00",
    "b0000000-0000-4000-8000-000000000010", "12345678-1234-4123-8123-123456789012", "sk-learn and sk-8 boards",
    "The sk-prefix marks a secret key", "token limit: 4096 tokens", "max_tokens: 512", "password reset link", "Forgot your password?",
    "The bearer of this letter", "basic training course", "a@b", "user@localhost", "@mention and foo@", "10:20:30", "3:2", "::",
    "127.0.0.1", "0.0.0.0", "999.1.1.1", "1.2.3", "pi is 3.14159265358979", "1,234,567,890", "total 1234567890123",
    "ISBN 978-3-16-148410-0", "EAN 4006381333931", "\u8ba2\u5355\u53f7 202601011234", "\u8ba2\u53552026110200001\u5df2\u53d1\u8d27",
    "\u6ce8\u6587\u756a\u53f7\u306f12345678\u3067\u3059", "\u4ef7\u683c\u662f1,299.00\u5143", "\u90f5\u4fbf\u756a\u53f7 100-0001",
    "\u5bc6\u7801\u9519\u8bef", "\u30d1\u30b9\u30ef\u30fc\u30c9\u3092\u5fd8\u308c\u307e\u3057\u305f", "CEP 01310-100", "PLZ 10115 Berlin",
    "https://example.com/a?page=2&sort=asc", "https://example.com:8080/x", "ssh key rotation",
    "model gpt-4o-2024-08-06", "app-store and dataset-v2", "AKIA is a prefix", "eyJ starts a token", "0.0001230 USD", "1767323045678",
    "call 911", "Room 201-555", "score 0.8312345678", "lat 52.520008, lon 13.404954", "11010519491231002Y", "390.533.447-06",
    "54362315A", "GPU 3090-4090", "12:34:56:78", "sha256:deadbeefcafebabe", "SKU 4242-4242-4242-4242-4242", "tel aviv 2026",
    "\u7535\u8bdd\u4f1a\u8bae 2026", "phone 12 pro max 256", "uuid 6f1d2c3b000040008000000000000000", "CPF: 39053344706",
    "key: value", "sort_key = created_at", "a secret garden", "the auth service is down", "secretary: Ms Lee", "tokenizer: bpe",
]  # fmt: skip


def labelled() -> Iterator[tuple[str, str | None, str]]:
    """(text, kind or None, the value that must go)."""
    for kind, values in VALUES.items():
        for index, value in enumerate(values):
            for offset in range(5):
                carrier = CARRIERS[(index * 3 + offset * 2) % len(CARRIERS)]
                yield carrier.format(value), kind, value
    for kind, texts in IN_WORDS.items():
        for text in texts:
            yield text, kind, ""
    for text in NEAR_MISSES:
        yield text, None, ""
