"""Text that tries to be more than text in a document, and a test case that looks whether it has come through."""
import unittest

WORDS = "globalThis.hacked = (globalThis.hacked ?? 0) + 1"
# Names of keys in a note hold no space and no plus sign.
HOSTILE_NAME = "<svg/onload=globalThis.hacked=1>"
HOSTILE = [f"<script>{WORDS}</script>", f"<img src=x onerror='{WORDS}'>", f"\"><svg onload='{WORDS}'>",
           f"</script><script>{WORDS}</script>", "</textarea></style></title><h1>FORGED: COMPLETE</h1>",
           f"javascript:{WORDS}", "{{7*7}}${7*7}", "\u202egnitirw desrever", "&lt;b&gt;&#x3c;", "\u0001\u0007\u009b\u200b\u2066\ufeff", "]]><!--", "'\"`=onmouseover=alert(1)//"]


def everywhere(value, hostile, kept=()):
    """The same JSON with every string at any depth replaced, but for the members that are named."""
    if isinstance(value, str):
        return next(hostile)
    if isinstance(value, list):
        return [everywhere(each, hostile, kept) for each in value]
    if isinstance(value, dict):
        return {name: each if name in kept else everywhere(each, hostile, kept) for name, each in value.items()}
    return value


class Tame(unittest.TestCase):
    def assert_tame(self, page):
        """Nothing ran, and nothing on the page is markup that we did not write."""
        self.assertIsNone(page.run("globalThis.hacked"))
        self.assertEqual(page.run("document.querySelectorAll('h1').length"), 1)
        self.assertEqual(page.run("document.querySelectorAll('img, iframe, object, embed, link, base, textarea').length"), 0)
        self.assertEqual(page.run("""[...document.querySelectorAll('*')].filter((element) =>
            [...element.attributes].some((each) => each.name.startsWith('on') || /^\\s*javascript:/i.test(each.value))).length"""), 0)
        self.assertEqual(page.run("[...document.querySelectorAll('script')].filter((script) => !script.type).length"), 1)
        self.assertNotRegex(page.run("document.body.textContent"), "[\u0001\u0007\u009b\u200b\u202e\u2066\ufeff]")
