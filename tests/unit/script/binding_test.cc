#include "ceremony/script/binding.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/script/sample_files.h"
#include "tests/unit/script/step_kinds.h"
#include "tests/unit/script/support.h"

using namespace ceremony::script;

namespace {

constexpr const char* kSecretHint =
    ": a secret must never stand in a file [take it out, and change that secret: it has been written down]\n";

constexpr const char* kOtherEnvironment =
    "INPUT-14 b.json:8:32: /tokens/new-hsm/environment: expected the `environment` that `root-hsm` gives to the same "
    "module, found another [a module takes one setting in a process; a second one needs a copy of its file]\n";

std::string ProblemsOf(const std::string& text) {
  Problems problems;
  const auto binding = ParseBinding(FileOf("b.json", text), &problems);
  CHECK(binding.ok() == problems.empty());
  return LinesOf(problems);
}

}  // namespace

TEST_CASE("a binding is read with its tokens in the order of the file") {
  const auto binding = ParseBinding(FileOf("b.json", kGoodBinding));
  REQUIRE_MESSAGE(binding.ok(), (binding.ok() ? "" : binding.error().message));
  CHECK(binding->estate == "smki.example");
  CHECK(NameOf(binding->environment) == "sit");
  CHECK(binding->record_token == "log");
  REQUIRE(binding->tokens.size() == 3);
  CHECK(binding->tokens[0].name == "root-hsm");
  CHECK(binding->tokens[0].label == "ROOT A");
  CHECK(binding->tokens[0].serial == "0123456789abcdef");
  CHECK_FALSE(binding->tokens[0].uninitialised.has_value());
  CHECK(NameOf(binding->tokens[0].login) == "protected-path");
  CHECK(binding->tokens[0].site == "North");
  const TokenBinding& fresh = *binding->Find("new-hsm");
  REQUIRE(fresh.uninitialised.has_value());
  CHECK(*fresh.uninitialised->slot == 7);
  CHECK(fresh.uninitialised->serial == "S1");
  CHECK(fresh.uninitialised->slot_description == "SoftHSM slot");
  CHECK(NameOf(fresh.login) == "pin-prompt");
  CHECK(fresh.environment == std::map<std::string, std::string>{{"SOFTHSM2_CONF", "/etc/softhsm2.conf"}});
  CHECK(binding->Find("log")->init_args == "configdir='/tmp/nss' secmod=''");
  CHECK_FALSE(binding->Find("log")->uninitialised->slot.has_value());
  CHECK(binding->Find("other") == nullptr);
}

TEST_CASE("a token is known by its serial or as one to be commissioned, not both and not neither") {
  CHECK(ProblemsOf(Replaced(kGoodBinding, "\"serial\": \"0123456789abcdef\", ", "")) ==
        "INPUT-03 b.json:6:17: /tokens/root-hsm: missing: expected \"serial\" or \"uninitialised\"\n");
  CHECK(ProblemsOf(Replaced(kGoodBinding, "\"label\": \"LOG\"", "\"label\": \"LOG\", \"serial\": \"1\"")) ==
        "INPUT-14 b.json:9:98: /tokens/log/uninitialised: expected only one of \"serial\" or \"uninitialised\", found "
        "`serial` and `uninitialised`\n");
}

TEST_CASE("labels and serials fit what a token can hold, in bytes") {
  const std::string label = "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ";
  CHECK(ProblemsOf(Replaced(kGoodBinding, "ROOT A", label)) == "");
  CHECK(ProblemsOf(Replaced(kGoodBinding, "ROOT A", label + "x")) ==
        "INPUT-05 b.json:6:72: /tokens/root-hsm/label: expected at most 32 bytes in UTF-8, found 33\n");
  CHECK(ProblemsOf(Replaced(kGoodBinding, "0123456789abcdef", "0123456789abcdeÄ")) ==
        "INPUT-05 b.json:6:92: /tokens/root-hsm/serial: expected at most 16 bytes in UTF-8, found 17\n");
}

TEST_CASE("two logical tokens are never one real token") {
  CHECK(
      ProblemsOf(Replaced(
          kGoodBinding, "\"uninitialised\": {\"slot\": 7, \"serial\": \"S1\", \"slot_description\": \"SoftHSM slot\"}",
          "\"serial\": \"0123456789abcdef\"")) ==
      "INPUT-12 b.json:7:91: /tokens/new-hsm/serial: expected a real token of its own, found that of `root-hsm`\n");
  const std::string two_blanks = Replaced(
      Replaced(kGoodBinding, "\"serial\": \"0123456789abcdef\"", "\"uninitialised\": {}"), "\"ROOT B\"", "\"ROOT A\"");
  CHECK(ProblemsOf(two_blanks) ==
        "INPUT-12 b.json:7:71: /tokens/new-hsm/label: expected a label of its own, found that of `root-hsm`\n");
}

TEST_CASE("a module has one environment and one set of arguments in a binding") {
  constexpr const char* kHint = " [a module takes one setting in a process; a second one needs a copy of its file]\n";
  CHECK(ProblemsOf(Replaced(kGoodBinding, "{\"SOFTHSM2_CONF\": \"/etc/softhsm2.conf\"}},\n    \"log\"",
                            "{\"SOFTHSM2_CONF\": \"/etc/other.conf\"}},\n    \"log\"")) == kOtherEnvironment);
  CHECK(ProblemsOf(
            Replaced(kGoodBinding, "/usr/lib/x86_64-linux-gnu/libsoftokn3.so", "/usr/lib/softhsm/libsofthsm2.so")) ==
        std::string("INPUT-14 b.json:9:23: /tokens/log/module: expected the `environment` that `root-hsm` gives to the "
                    "same module, found another") +
            kHint +
            "INPUT-14 b.json:9:108: /tokens/log/init_args: expected the `init_args` that `root-hsm` gives to the same "
            "module, found another" +
            kHint);
}

TEST_CASE("the record's token is one of those that are bound") {
  CHECK(ProblemsOf(Replaced(kGoodBinding, "\"record_token\": \"log\"", "\"record_token\": \"lgo\"")) ==
        "INPUT-09 b.json:11:19: /record_token: expected a token that `tokens` binds, \"root-hsm\", \"new-hsm\" or "
        "\"log\", found \"lgo\" [did you mean `log`?]\n");
}

TEST_CASE("a module is an absolute path") {
  for (const char* bad : {"libsofthsm2.so", "/usr/../lib/x.so", "/usr/lib/x.so;id", "~/x.so"}) {
    CHECK(ProblemsOf(Replaced(kGoodBinding, "/usr/lib/x86_64-linux-gnu/libsoftokn3.so", bad)) ==
          std::string("INPUT-05 b.json:9:23: /tokens/log/module: expected an absolute path without `.` and `..` parts, "
                      "found the text \"") +
              bad + "\"\n");
  }
}

TEST_CASE("a secret is refused wherever it stands in a binding, and is never repeated") {
  CHECK(ProblemsOf(Replaced(kGoodBinding, "\"label\": \"LOG\"", "\"pin\": \"hunter2\", \"label\": \"LOG\"")) ==
        std::string("INPUT-11 b.json:9:67: /tokens/log/pin") + kSecretHint);
  CHECK(ProblemsOf(Replaced(kGoodBinding, "\"site\": \"North\"", "\"so_pin\": 1234")) ==
        std::string("INPUT-11 b.json:6:139: /tokens/root-hsm/so_pin") + kSecretHint);
  CHECK(ProblemsOf(Replaced(kGoodBinding, "\"record_token\"", "\"Password\": \"hunter2\", \"record_token\"")) ==
        std::string("INPUT-11 b.json:11:3: /Password") + kSecretHint);
  CHECK(ProblemsOf(Replaced(kGoodBinding, "\"protected-path\"", "\"hunter2\"")) ==
        "INPUT-05 b.json:6:121: /tokens/root-hsm/login: expected \"pin-prompt\", \"protected-path\" or \"shares\", "
        "found a text of 7 characters\n");
  for (const char* name : {"TOKEN_PIN", "PIN", "HSM_PASSWORD", "MY_SECRET_X"}) {
    CHECK(ProblemsOf(Replaced(kGoodBinding, "SOFTHSM2_CONF\": \"/etc/softhsm2.conf\"}},\n    \"log\"",
                              name + std::string("\": \"/etc/softhsm2.conf\"}},\n    \"log\""))) ==
          kOtherEnvironment + std::string("INPUT-11 b.json:8:") + std::to_string(37 + std::string(name).size()) +
              ": /tokens/new-hsm/environment/" + name + kSecretHint);
  }
  for (const char* bad : {"tokens=<0x1> pin=hunter2", "so-pin=hunter2", "PIN-VALUE=hunter2", "a;password=hunter2"}) {
    CHECK(ProblemsOf(Replaced(kGoodBinding, "configdir='/tmp/nss' secmod=''", bad)) ==
          std::string("INPUT-11 b.json:9:117: /tokens/log/init_args") + kSecretHint);
  }
  CHECK(ProblemsOf(Replaced(kGoodBinding, "configdir='/tmp/nss' secmod=''", "spin=1 shopping=2")) == "");
}

TEST_CASE("what is written is read back to the same") {
  const auto binding = ParseBinding(FileOf("b.json", kGoodBinding)).value();
  const auto written = WriteBinding(binding);
  REQUIRE(written.ok());
  const auto again = ParseBinding(FileOf("w.json", *written));
  REQUIRE(again.ok());
  CHECK(*WriteBinding(*again) == *written);
  CHECK(again->tokens[1].uninitialised->serial == "S1");
  CHECK(again->tokens[2].uninitialised.has_value());
  CHECK(again->tokens[2].init_args == "configdir='/tmp/nss' secmod=''");
  Binding wrong = binding;
  wrong.tokens[0].serial.clear();
  CHECK(WriteBinding(wrong).error().message ==
        "what is to be written:6:17: /tokens/root-hsm: missing: expected \"serial\" or \"uninitialised\"");
}

TEST_CASE("a credential is files, a card or offline, and nothing in between") {
  const auto binding = ParseBinding(FileOf("b.json", kCredentialsBinding));
  REQUIRE_MESSAGE(binding.ok(), (binding.ok() ? "" : binding.error().message));
  const auto& credentials = binding->credentials;
  REQUIRE(credentials.size() == 4);
  CHECK(credentials.at("alice").kind == CredentialKind::kFiles);
  CHECK(credentials.at("alice").sign == "/media/alice/sign.pem");
  CHECK(credentials.at("alice").open == "/media/alice/open.pem");
  CHECK(credentials.at("bob").kind == CredentialKind::kCard);
  CHECK(credentials.at("bob").module == "/usr/lib/opensc-pkcs11.so");
  CHECK(credentials.at("bob").label == "BOB");
  CHECK(credentials.at("bob").serial == "77");
  CHECK(credentials.at("bob").environment == std::map<std::string, std::string>{{"CARD", "1"}});
  CHECK(credentials.at("bob").init_args == "x=1");
  CHECK(credentials.at("carol").kind == CredentialKind::kOffline);
  CHECK(credentials.at("dave").open.empty());
  const auto written = WriteBinding(*binding);
  REQUIRE(written.ok());
  CHECK(*WriteBinding(*ParseBinding(FileOf("w.json", *written))) == *written);

  const auto problems = [](const char* from, const char* to) {
    return ProblemsOf(Replaced(kCredentialsBinding, from, to));
  };
  CHECK(problems("{\"offline\": true}", "{\"offline\": false}") ==
        "INPUT-05 b.json:10:26: /credentials/carol/offline: expected true, found false "
        "[say where the keys are, or leave it out]\n");
  CHECK(problems("{\"offline\": true}", "{\"offline\": true, \"sign\": \"/a/b.pem\"}") ==
        "INPUT-14 b.json:10:15: /credentials/carol/offline: expected only one of \"sign\", \"module\" or "
        "\"offline\", found `sign` and `offline`\n");
  CHECK(problems("{\"offline\": true}", "{\"offline\": true, \"open\": \"/a/b.pem\"}") ==
        "INPUT-14 b.json:10:40: /credentials/carol/open: expected only beside `sign`, found beside `offline`\n");
  CHECK(problems("{\"sign\": \"/media/dave/sign.pem\"}", "{\"sign\": \"/d.pem\", \"label\": \"D\"}") ==
        "INPUT-14 b.json:11:41: /credentials/dave/label: expected only beside `module`, found beside `sign`\n");
  CHECK(problems("\"label\": \"BOB\", \"serial\": \"77\", ", "") ==
        "INPUT-03 b.json:9:12: /credentials/bob: missing: expected \"label\" or \"serial\" of the card\n");
  CHECK(problems("\"CARD\"", "\"CARD_PIN\"") ==
        std::string("INPUT-11 b.json:9:112: /credentials/bob/environment/CARD_PIN") + kSecretHint);
  CHECK(problems("\"x=1\"", "\"pin=1\"") ==
        std::string("INPUT-11 b.json:9:127: /credentials/bob/init_args") + kSecretHint);
  CHECK(problems("{\"sign\": \"/media/dave/sign.pem\"}", "\"/media/dave/sign.pem\"").substr(0, 45) ==
        "INPUT-04 b.json:11:13: /credentials/dave: exp");
}

TEST_CASE("a binding fits a script of its estate when every token of the script is bound") {
  const auto binding = ParseBinding(FileOf("b.json", kGoodBinding)).value();
  const auto script_of = [](const std::string& estate, const std::string& token) {
    return ParseScript(
               FileOf("s.json",
                      R"({"format":"keyceremony-script/1","id":"a","title":"t","purpose":"p","policy":"p","estate":")" +
                          estate + R"(",
"tokens":{")" + token + R"(":{}},"sections":[{"id":"s","title":"t","steps":[{"id":"d","do":"token.verify","token":")" +
                          token + R"("}]}]})"),
               StepKinds())
        .value();
  };
  CHECK(CheckBinding(script_of("smki.example", "root-hsm"), binding).ok());
  const auto error = CheckBinding(script_of("other", "root-hms"), binding).error();
  CHECK(error.message ==
        "s.json:1:91: /estate: expected the estate of the binding b.json, \"smki.example\", found \"other\"\n"
        "s.json:2:11: /tokens/root-hms: the binding b.json does not say which real token this is (add `root-hms` to "
        "the `tokens` of b.json) [BIND-01]");
  CHECK(CheckBinding(script_of("smki.example", "x"), binding).error().rule == "BIND-01");
}
