#include "ceremony/report/html.h"

#include <doctest/doctest.h>

#include <cmath>

using ceremony::report::Html;

TEST_CASE("whatever could be markup is spelled as text") {
  CHECK(Html().Text("<script>alert(\"1\")</script>").str() == "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
  CHECK(Html().Text("' onload='x' &amp;").str() == "&#39; onload=&#39;x&#39; &amp;amp;");
}

TEST_CASE("characters that hide or turn text around are spelled out") {
  CHECK(Html().Text("a\u202Eb").str() == "a\\u{202e}b");
  CHECK(Html().Text(std::string_view("a\0b", 3)).str() == "a\\x00b");
  CHECK(Html().Text("a\x1b[2Jb").str() == "a\\x1b[2Jb");
  CHECK(Html().Text("a\xff").str() == "a\\xff");
}

TEST_CASE("letters of other scripts stay as they are") { CHECK(Html().Text("Żółć 漢字 é").str() == "Żółć 漢字 é"); }

TEST_CASE("a text that is too long is cut between two characters, and says so") {
  CHECK(Html().Text(std::string(3000, 'a')).str() == std::string(2000, 'a') + "\u2026 (3000 bytes in all)");
  CHECK(Html().Text("aaé", 3).str() == "aa\u2026 (4 bytes in all)");
  // Sixty thousand bytes that are no characters at all have no place to be cut, and are not run past.
  CHECK(Html().Text(std::string(60000, '\x80'), 10).str() == "\u2026 (60000 bytes in all)");
}

TEST_CASE("prose breaks at line feeds, text spells them") {
  CHECK(Html().Prose("a\n<b>\n").str() == "a<br>&lt;b&gt;");  // the last one ends the line
  CHECK(Html().Text("a\nb").str() == "a\\nb");
}

TEST_CASE("short names and days are not broken at their hyphens, long ones may be") {
  CHECK(Html().Whole("key issuing-oca-z1, <b>").str() == "key <span class=\"whole\">issuing-oca-z1,</span> &lt;b&gt;");
  const std::string digest = "smki.example/root-oca/0123456789abcdef";
  CHECK(Html().Whole(digest).str() == digest);
  CHECK(Html().Whole("a-<i>  b").str() == "<span class=\"whole\">a-&lt;i&gt;</span>  b");
}

TEST_CASE("long names may be broken at their joints") {
  CHECK(Html().Breakable("CKR_OK").str() == "CKR_<wbr>OK");
  CHECK(Html().Breakable("a/<b>").str() == "a/<wbr>&lt;b&gt;");
}

TEST_CASE("coordinates have no needless digits") {
  CHECK(Html().Real(3.0).Raw(" ").Real(1.25).Raw(" ").Real(-0.333).str() == "3 1.25 -0.33");
}

TEST_CASE("bytes of any kind are base64") {
  CHECK(Html().AppendBase64(std::string_view("\x00</", 3)).str() == "ADwv");  // printf '\0</' | base64
}
