"""The common strings of reliability section 4, tried in every field that takes text."""

CONTROL = ["\x00", "a\x00b", "\x1b[31mred", "a\x7f", "\x85", "a\x0bb"]
COMMON = [
    "", " ", "\u00a0", "\u3000", "\u200b", "x" * 100_000, "0", "null", "undefined", "' OR 1=1 --",
    '"><script>alert(1)</script>', "{{7*7}}", "{% raw %}", "${7*7}", "=1+1", "+1", "-1", "@x",
    "\tx", "\rx", "../../etc/passwd", "%00", "%n%s", "a\r\nBcc: x@y", "👩\u200d👩\u200d👧\u200d👦",
    "e" + "\u0301" * 500, "\u202eabc", "İ", "ﬁ", "a\u2028b", "%", "_", "\\", "a\nb", "\ufffd",
    *CONTROL,
]  # fmt: skip
