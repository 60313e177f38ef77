#include "ceremony/script/script.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/script/step_kinds.h"
#include "tests/unit/script/support.h"

using namespace ceremony::script;

namespace {

// A script that is right, one thing of which each test changes.
const char* const kGood = R"({
  "format": "keyceremony-script/1",
  "id": "root",
  "title": "Root",
  "estate": "smki.example",
  "purpose": "To make\na key.",
  "classification": "red",
  "policy": "smki.policy.json",
  "profiles": {"root-oca": "profiles/root.profile.json"},
  "tokens": {"root-hsm": {"domain": "organisation"}, "aux": {"role": "audit", "description": "the small one"}},
  "equipment": ["a clock"],
  "sections": [
    {"id": "one", "title": "One", "say": "Good morning.", "steps": [
      {"id": "attend", "do": "room.attend", "people": {"custodian": 3, "witness": 1}},
      {"id": "make", "do": "key.generate", "token": "root-hsm", "key": "root-oca", "algorithm": "ec-p256", "usage": "sign", "quorum": "custodians"}
    ]},
    {"id": "two", "title": "Two", "steps": [
      {"id": "sign", "do": "cert.self-sign", "token": "root-hsm", "key": "root-oca", "profile": "root-oca", "certificate": "root.crt", "title": "Certify", "note": "n", "skippable": true},
      {"id": "burn", "do": "key.destroy", "key": "old", "tokens": ["aux", "root-hsm"], "hold_until": "2026-11-21"}
    ]}
  ]
}
)";

std::string ProblemsOf(const std::string& text) {
  Problems problems;
  const auto script = ParseScript(FileOf("s.json", text), StepKinds(), &problems);
  CHECK(script.ok() == problems.empty());
  return LinesOf(problems);
}

}  // namespace

TEST_CASE("a script is read with its sections, steps, names and places") {
  const auto script = ParseScript(FileOf("s.json", kGood), StepKinds());
  REQUIRE(script.ok());
  CHECK(script->id == "root");
  CHECK(script->title == "Root");
  CHECK(script->estate == "smki.example");
  CHECK(script->purpose == "To make\na key.");
  CHECK(NameOf(script->classification) == "red");
  CHECK(script->policy_path == "smki.policy.json");
  CHECK(script->profile_paths == std::map<std::string, std::string>{{"root-oca", "profiles/root.profile.json"}});
  REQUIRE(script->tokens.size() == 2);
  CHECK(script->tokens[0].name == "root-hsm");
  CHECK(script->tokens[0].domain == "organisation");
  CHECK(NameOf(script->tokens[0].role) == "live");
  CHECK(script->FindToken("aux")->description == "the small one");
  CHECK(NameOf(script->FindToken("aux")->role) == "audit");
  CHECK(script->FindToken("other") == nullptr);
  CHECK(script->equipment == std::vector<std::string>{"a clock"});
  CHECK(script->StepCount() == 4);
  CHECK(script->QuorumsUsed() == std::vector<std::string>{"custodians"});
  CHECK(script->sections[0].say == "Good morning.");
  CHECK(script->file.sha256 == base::Sha256Hex(kGood));

  const Step& make = script->sections[0].steps[1];
  CHECK(make.kind == "key.generate");
  CHECK(make.quorum == "custodians");
  CHECK(make.fields.Text("algorithm") == "ec-p256");
  CHECK(make.fields.Flag("extractable") == false);
  CHECK(make.fields.values().dump() ==
        R"({"algorithm":"ec-p256","extractable":false,"key":"root-oca","token":"root-hsm","usage":"sign"})");
  CHECK(make.NamesOf(Reference::kToken) == std::vector<std::string>{"root-hsm"});
  CHECK(make.NamesOf(Reference::kKey) == std::vector<std::string>{"root-oca"});
  CHECK(script->Where(make) == "s.json:15:7: /sections/0/steps/1");
  CHECK(script->Where(make, "key") == "s.json:15:72: /sections/0/steps/1/key");
  CHECK(script->Where(make, "absent") == "s.json:15:7: /sections/0/steps/1");
  CHECK(script->ProblemAt(make, "key", "PLAN-KEY-01", "no such key").Line() ==
        "s.json:15:72: /sections/0/steps/1/key: no such key");

  const Step& sign = script->sections[1].steps[0];
  CHECK(sign.title == "Certify");
  CHECK(sign.note == "n");
  CHECK(sign.skippable);
  CHECK(sign.fields.TextOr("certificate", "x") == "root.crt");
  CHECK(sign.fields.TextOr("subject", "x") == "x");
  CHECK_FALSE(sign.fields.Has("title"));
  const Step& burn = script->sections[1].steps[1];
  CHECK(burn.NamesOf(Reference::kToken) == std::vector<std::string>{"aux", "root-hsm"});
  CHECK(burn.fields.List("tokens").size() == 2);
  CHECK(script->sections[0].steps[0].fields.Object("people").at("custodian") == 3);
}

TEST_CASE("a script keeps its places when it is moved and copied") {
  auto read = ParseScript(FileOf("s.json", kGood), StepKinds());
  REQUIRE(read.ok());
  Script copy = *read;
  const Script moved = std::move(read).value();
  CHECK(copy.Where(copy.sections[0].steps[1], "key") == "s.json:15:72: /sections/0/steps/1/key");
  CHECK(moved.Where(moved.sections[0].steps[1], "key") == "s.json:15:72: /sections/0/steps/1/key");
}

TEST_CASE("a step of an unknown kind, or with a wrong field, is refused where it stands") {
  CHECK(ProblemsOf(Replaced(kGood, "key.generate", "key.generat")) ==
        "INPUT-05 s.json:15:28: /sections/0/steps/1/do: expected \"room.attend\", \"room.depart\", \"room.clock\", "
        "\"room.confirm\", \"room.record\", "
        "\"document.lodge\", \"token.commission\", \"token.verify\", \"key.generate\", \"cert.self-sign\" or "
        "\"key.destroy\", found the text \"key.generat\" "
        "[did you mean `key.generate`?]\n");
  CHECK(ProblemsOf(Replaced(kGood, "\"algorithm\": \"ec-p256\"", "\"algoritm\": \"ec-p256\"")) ==
        "INPUT-03 s.json:15:7: /sections/0/steps/1/algorithm: missing: expected \"ec-p256\" or \"rsa-4096\"\n"
        "INPUT-01 s.json:15:84: /sections/0/steps/1/algoritm: unknown field [did you mean `algorithm`?]\n");
  CHECK(ProblemsOf(Replaced(kGood, "\"witness\": 1", "\"witnes\": 0")) ==
        "INPUT-05 s.json:14:72: /sections/0/steps/0/people/witnes: expected as a name a role (administrator, "
        "security-officer, custodian, witness or "
        "auditor), found \"witnes\"\n");
}

TEST_CASE("ids of sections and of steps are unique in the whole script") {
  CHECK(
      ProblemsOf(Replaced(kGood, "\"id\": \"sign\"", "\"id\": \"make\"")) ==
      "INPUT-12 s.json:18:14: /sections/1/steps/0/id: expected an id of its own, found that of the step in line 15\n");
  CHECK(ProblemsOf(Replaced(kGood, "\"id\": \"two\"", "\"id\": \"one\"")) ==
        "INPUT-12 s.json:17:12: /sections/1/id: expected an id of its own, found that of the section in line 13\n");
}

TEST_CASE("every name that a step uses is defined, and every one that is defined is used") {
  CHECK(ProblemsOf(Replaced(kGood, "\"tokens\": [\"aux\", \"root-hsm\"]", "\"tokens\": [\"root-hsm\", \"axu\"]")) ==
        "INPUT-09 s.json:10:54: /tokens/aux: defined, but no step names it\n"
        "INPUT-09 s.json:19:80: /sections/1/steps/1/tokens/1: expected a token that `tokens` defines, \"root-hsm\" or "
        "\"aux\", found \"axu\" "
        "[did you mean `aux`?]\n");
  CHECK(ProblemsOf(Replaced(kGood, "\"profile\": \"root-oca\"", "\"profile\": \"other\"")) ==
        "INPUT-09 s.json:9:16: /profiles/root-oca: defined, but no step names it\n"
        "INPUT-09 s.json:18:97: /sections/1/steps/0/profile: expected a profile that `profiles` defines, \"root-oca\", "
        "found \"other\"\n");
  CHECK(ProblemsOf(R"({"format":"keyceremony-script/1","id":"a","title":"t","estate":"e","purpose":"p","policy":"p",
"sections":[{"id":"s","title":"t","steps":[{"id":"v","do":"token.verify","token":"t"}]}]})") ==
        "INPUT-09 s.json:2:82: /sections/0/steps/0/token: expected a token that `tokens` defines (it defines none), "
        "found \"t\"\n");
}

TEST_CASE("a section's quorum is one that a step of it names") {
  CHECK(ProblemsOf(Replaced(kGood, "\"title\": \"One\"", "\"title\": \"One\", \"quorum\": \"custodians\"")) == "");
  CHECK(ProblemsOf(Replaced(kGood, "\"title\": \"One\"", "\"title\": \"One\", \"quorum\": \"custodian\"")) ==
        "INPUT-09 s.json:13:45: /sections/0/quorum: expected a quorum that a step of this section names, "
        "\"custodians\", found \"custodian\" [did you mean `custodians`?]\n");
  CHECK(ProblemsOf(Replaced(kGood, "\"title\": \"Two\"", "\"title\": \"Two\", \"quorum\": \"custodians\"")) ==
        "INPUT-09 s.json:17:45: /sections/1/quorum: expected a quorum that a step of this section names (none names "
        "one), found \"custodians\"\n");
}

TEST_CASE("a script needs its sections, and sections their steps") {
  CHECK(ProblemsOf(R"({"format":"keyceremony-script/1"})") ==
        "INPUT-03 s.json:1:1: /id: missing: expected an id (1 to 64 lowercase letters, digits, dots, hyphens, "
        "underscores; a letter or digit first)\n"
        "INPUT-03 s.json:1:1: /title: missing: expected a line of text of 1 to 200 characters\n"
        "INPUT-03 s.json:1:1: /estate: missing: expected an id (1 to 64 lowercase letters, digits, dots, hyphens, "
        "underscores; a letter or digit first)\n"
        "INPUT-03 s.json:1:1: /purpose: missing: expected text of 1 to 4000 characters\n"
        "INPUT-03 s.json:1:1: /policy: missing: expected a path below this file's folder (letters, digits, dots, "
        "hyphens, underscores; no part begins with a dot)\n"
        "INPUT-03 s.json:1:1: /sections: missing: expected a list of 1 to 100\n");
}

TEST_CASE("paths that leave the folder are refused in the script already") {
  CHECK(ProblemsOf(Replaced(kGood, "\"smki.policy.json\"", "\"../smki.policy.json\"")) ==
        "INPUT-05 s.json:8:13: /policy: expected a path below this file's folder (letters, digits, dots, hyphens, "
        "underscores; no part begins with a dot), "
        "found the text \"../smki.policy.json\"\n");
}

TEST_CASE("files that are missing, special or too large are refused") {
  const Folder folder;
  const auto error_of = [](const std::string& path) {
    const auto script = ReadScript(path, StepKinds());
    REQUIRE_FALSE(script.ok());
    CHECK(script.error().code == base::ErrorCode::kInvalidInput);
    return script.error().rule + " " + script.error().message;
  };
  CHECK(error_of(folder / "none.json") == "INPUT-08 " + (folder / "none.json") + ": No such file or directory");
  CHECK(error_of(folder / ".") == "INPUT-08 " + (folder / ".") + ": expected a regular file, found something else");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(error_of(folder / "pipe") ==
        "INPUT-08 " + (folder / "pipe") + ": expected a regular file, found something else");
  CHECK(error_of("/dev/zero") == "INPUT-08 /dev/zero: expected a regular file, found something else");
  CHECK(error_of(folder.Write("big.json", std::string(4'194'305, ' '))) ==
        "INPUT-06 " + (folder / "big.json") + ": expected at most 4194304 bytes, found more");
}

TEST_CASE("a file that a script names is found beside it and nowhere else") {
  const Folder folder;
  LoadedFile from = LoadFile(folder.Write("a/s.json", "{}")).value();
  folder.Write("a/profiles/p.json", "profile");
  folder.Write("secret.json", "secret");
  std::filesystem::create_symlink("../secret.json", folder / "a/link.json");
  std::filesystem::create_symlink("..", folder / "a/up");

  const auto loaded = LoadReferenced(from, "profiles/p.json");
  REQUIRE(loaded.ok());
  CHECK(loaded->bytes == "profile");
  CHECK(loaded->name == "profiles/p.json");
  CHECK(loaded->path == folder / "a/profiles/p.json");

  const auto error_of = [&](const std::string& reference) {
    const auto refused = LoadReferenced(from, reference);
    REQUIRE_FALSE(refused.ok());
    return refused.error().rule + " " + refused.error().message;
  };
  const std::string shape =
      ": expected a path below this file's folder (letters, digits, dots, hyphens, underscores; no part begins with a "
      "dot)";
  for (const char* bad : {"../secret.json", "/etc/passwd", "profiles/../../secret.json", ""}) {
    CHECK(error_of(bad) == std::string("INPUT-10 s.json: the file \"") + bad + "\"" + shape);
  }
  CHECK(error_of("link.json") ==
        "INPUT-10 s.json: the file \"link.json\": is or goes through a symbolic link to " + (folder / "secret.json"));
  CHECK(error_of("up/secret.json") ==
        "INPUT-10 s.json: the file \"up/secret.json\": is or goes through a symbolic link to " +
            (folder / "secret.json"));
  CHECK(error_of("none.json") == "INPUT-08 s.json: the file \"none.json\": cannot be opened as " +
                                     (folder / "a/none.json") + ": No such file or directory");
  CHECK(error_of("profiles") ==
        "INPUT-08 " + (folder / "a/profiles") + ": expected a regular file, found something else");

  // The folder of the script may itself be reached through a link.
  std::filesystem::create_directory_symlink("a", folder / "b");
  from.path = folder / "b/s.json";
  CHECK(LoadReferenced(from, "profiles/p.json").ok());
}
