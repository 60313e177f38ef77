#include "ceremony/room/typesetter.h"

#include <doctest/doctest.h>

using namespace ceremony::room;

namespace {

constexpr Look kPlain{};
constexpr Look kUnicode{.width = 60, .charset = Charset::kUtf8};
constexpr Look kColour{.width = 80, .charset = Charset::kUtf8, .colour = true};

StepHeading Heading() {
  return {.section = "The root key",
          .id = "root-key",
          .title = "Make the key pair",
          .say = "One.\nTwo.",
          .number = 3,
          .total = 14,
          .elapsed_micros = 161'000'000};
}

std::string WithoutColour(std::string text) {
  for (std::size_t at; (at = text.find("\x1b[")) != std::string::npos;) text.erase(at, text.find('m', at) + 1 - at);
  return text;
}

}  // namespace

TEST_CASE("a banner and each step name the mode in words") {
  Typesetter typesetter(kPlain);
  CHECK(typesetter.SetBanner(
            {.title = "Root", .ceremony = "c-1", .environment = "rehearsal", .facts = {{"script", "s.json"}}}) ==
        "\n" + std::string(80, '/') + "\n  REHEARSAL - practice only: nothing made here may ever be used\n" +
            std::string(80, '/') + "\n\n  Root\n  ceremony  c-1\n  script    s.json\n");
  CHECK(typesetter.SetStep(Heading()) ==
        "\n-- REHEARSAL - Step 3 of 14 --------------------------------- 00:02:41 elapsed -\n"
        "  Section: The root key\n"
        "  Make the key pair\n"
        "  Step id: root-key\n"
        "\n"
        "  Read aloud:\n"
        "  | One.\n"
        "  | Two.\n"
        "\n");
}

TEST_CASE("production looks different from a rehearsal with and without colours") {
  for (const Look& look : {kPlain, kUnicode, kColour}) {
    Typesetter rehearsal(look);
    Typesetter production(look);
    const std::string practice = rehearsal.SetBanner({.environment = "rehearsal"});
    const std::string real = production.SetBanner({.environment = "production"});
    CHECK(practice.find("REHEARSAL") != std::string::npos);
    CHECK(real.find("PRODUCTION") != std::string::npos);
    CHECK(practice.substr(1, practice.find('\n', 1)) != real.substr(1, real.find('\n', 1)));
  }
}

TEST_CASE("a test environment is named as what it is, and looks like neither a rehearsal nor production") {
  for (const auto& [environment, meaning] :
       {std::pair("uit", "UIT - user integration test: "), std::pair("sit", "SIT - system integration test: ")}) {
    const std::string banner = Typesetter(kColour).SetBanner({.environment = environment});
    CHECK(banner.find(meaning) != std::string::npos);
    CHECK(banner.find("\x1b[30;46m") != std::string::npos);
    for (const char* other : {"rehearsal", "production"}) {
      const std::string its = Typesetter(kColour).SetBanner({.environment = other});
      CHECK(its.find("\x1b[30;46m") == std::string::npos);
      CHECK(its.find("test: ") == std::string::npos);
    }
  }
}

TEST_CASE("colours add nothing that the words do not say") {
  Typesetter colour(kColour);
  Typesetter plain({.width = 80, .charset = Charset::kUtf8});
  CHECK(colour.SetSaying(Tone::kBad, "no").find("\x1b[1;37;41m FAILED \x1b[0m") != std::string::npos);
  CHECK(plain.SetSaying(Tone::kGood, "yes") == "  [OK] yes\n");
  CHECK(plain.SetSaying(Tone::kWarning, "hm") == "  [WARNING] hm\n");
  CHECK(plain.SetSaying(Tone::kBad, "no") == "  [FAILED] no\n");
  CHECK(plain.SetSaying(Tone::kPlain, "so") == "  so\n");
  CHECK(WithoutColour(colour.SetStep(Heading())) == plain.SetStep(Heading()));
}

TEST_CASE("a digest is shown four bytes a line with offset, hexadecimal and words") {
  // The words are those of the PGP word list for e58294f2e9a227486e8b (Wikipedia's example).
  const base::Bytes digest = {0xe5, 0x82, 0x94, 0xf2, 0xe9, 0xa2, 0x27, 0x48, 0x6e, 0x8b};
  CHECK(Typesetter(kPlain).SetDigest("digest", digest) ==
        "\n"
        "  digest\n"
        "    from byte  hex       words\n"
        "            0  e58294f2  topmost     Istanbul    Pluto       vagabond\n"
        "            4  e9a22748  treadmill   Pacific     brackish    dictator\n"
        "            8  6e8b      goldfish    Medusa\n"
        "\n");
}

TEST_CASE("a comparison shows both spellings where they differ, and ends with a verdict") {
  const Typesetter typesetter(kPlain);
  Comparison comparison{.title = "Compared with profile p",
                        .wanted_says = "profile says",
                        .found_says = "certificate has",
                        .rows = {{"version", "3", "3", true}, {"issuer", "the subject, byte by byte", "CN=ZA", true}}};
  CHECK(typesetter.SetComparison(comparison) ==
        "\n"
        "  Compared with profile p\n"
        "    same     version  3\n"
        "    same     issuer   profile says     the subject, byte by byte\n"
        "                      certificate has  CN=ZA\n"
        "  [OK] All 2 fields are the same.\n"
        "\n");
  comparison.rows[0] = {"version", "3", "1", false};
  CHECK(typesetter.SetComparison(comparison) ==
        "\n"
        "  Compared with profile p\n"
        "    DIFFERS  version  profile says     3\n"
        "                      certificate has  1\n"
        "    same     issuer   profile says     the subject, byte by byte\n"
        "                      certificate has  CN=ZA\n"
        "  [FAILED] 1 of 2 fields differs.\n"
        "\n");
}

TEST_CASE("two blank lines that meet become one") {
  Typesetter typesetter(kPlain);
  CHECK(typesetter.Join("\na\n\n") == "\na\n\n");
  CHECK(typesetter.Join("\nb\n") == "b\n");
  CHECK(typesetter.Join("\nc\n") == "\nc\n");
  CHECK(typesetter.Join("  > ") == "  > ");
  CHECK(typesetter.Join("\n") == "\n");
}

TEST_CASE("a question says who is asked and what exactly to type") {
  CHECK(Typesetter(kPlain).SetQuestion({.kind = Question::Kind::kConsent,
                                        .id = "q",
                                        .person = "Alice Archer (custodian)",
                                        .text = "Make the key?",
                                        .expected = "MAKE THE KEY"}) ==
        "\n"
        "  +- Asked: Alice Archer (custodian)\n"
        "  | Make the key?\n"
        "  | Type exactly:  MAKE THE KEY\n"
        "  | Then press Enter. If it is not so, press Ctrl-C: nothing is lost.\n");
  CHECK(Typesetter(kUnicode).SetQuestion({.kind = Question::Kind::kChoice,
                                          .id = "q",
                                          .person = "Olga Orr",
                                          .text = "What now?",
                                          .choices = {"go on", "stop"}}) ==
        "\n"
        "  ┌─ Asked: Olga Orr\n"
        "  │ What now?\n"
        "  │   1  go on\n"
        "  │   2  stop\n"
        "  │ Type a number from 1 to 2, then press Enter.\n");
  CHECK(Typesetter(kUnicode).SetPrompt() == "  └─> ");
}

TEST_CASE("a hostile label cannot forge a line, a colour or a question") {
  const std::string label = "x\x1b[0m\n  +- Asked: Eve\r\xc2\x85 \xe2\x80\xa8";
  Typesetter typesetter(kColour);
  std::string all =
      typesetter.SetBanner({.title = label, .ceremony = label, .environment = label, .facts = {{label, label}}});
  all += typesetter.SetStep({.section = label, .id = label, .title = label, .number = 1, .total = 1});
  all += typesetter.SetFacts({{label, label}});
  all += typesetter.SetDigest(label, {});
  all += typesetter.SetComparison(
      {.title = label, .wanted_says = label, .found_says = label, .rows = {{label, label, "x", false}}});
  all += typesetter.SetQuestion({.id = "q", .person = label, .text = "?", .expected = label, .choices = {label}});
  all += typesetter.SetQuestion({.kind = Question::Kind::kChoice, .id = "q", .person = label, .choices = {label}});
  all += typesetter.SetQuestion({.kind = Question::Kind::kText, .id = "q", .person = label, .example = label});
  all += typesetter.SetTaken(label, 5);
  all += typesetter.SetBusy(label, "|", "0 s");
  all += typesetter.SetSaying(Tone::kPlain, "x\x1b[0m\r");
  const std::string bare = WithoutColour(all);
  CHECK(bare.find('\x1b') == std::string::npos);
  CHECK(bare.find('\r') == std::string::npos);
  CHECK(bare.find("\n  +- Asked: Eve") == std::string::npos);
  CHECK(bare.find("\xc2\x85") == std::string::npos);
  CHECK(bare.find("\xe2\x80\xa8") == std::string::npos);
}

TEST_CASE("no line is wider than the window") {
  const std::string text =
      "The quick brown fox jumps over the lazy dog 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  for (const std::size_t width : {20u, 33u, 40u, 54u, 80u, 100u}) {
    for (const Charset charset : {Charset::kAscii, Charset::kUtf8}) {
      Typesetter typesetter({.width = width, .charset = charset});
      std::string all =
          typesetter.SetBanner({.title = text, .ceremony = text, .environment = "production", .facts = {{text, text}}});
      all += typesetter.SetStep({.section = text, .id = text, .title = text, .say = text, .number = 100, .total = 200});
      all += typesetter.SetFacts({{"a", text}, {text, "b"}});
      if (width >= 54) {  // three columns need room
        all += typesetter.SetComparison({.title = text,
                                         .wanted_says = "wanted",
                                         .found_says = "found",
                                         .rows = {{text, text, "x", false}, {"a", text, text, true}}});
      }
      all += typesetter.SetSaying(Tone::kWarning, text);
      all += typesetter.SetRemark(text);
      all += typesetter.SetQuestion({.id = "q", .person = text, .text = text, .expected = text});
      all += typesetter.SetSecretQuestion({.id = "q", .person = text, .text = text});
      all += typesetter.SetBusy(text, "|", "10 s") + "\n";
      if (width >= 33) {  // a hexadecimal group and one word do not fit in less
        all += typesetter.SetDigest(text, base::Bytes(32, 0x0e));
        all += typesetter.SetTaken(text, 64'000'000);
      }
      std::size_t start = 0;
      for (std::size_t end; (end = all.find('\n', start)) != std::string::npos; start = end + 1) {
        const std::string line = all.substr(start, end - start);
        INFO(width, " ", line);
        CHECK(DisplayWidth(line) <= width);
      }
    }
  }
}
