// token.commission and token.verify on a token in memory: what is refused, and what an interruption leaves to be done.
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/token_limits.h"
#include "tests/support/passing_cryptoki.h"
#include "tests/unit/steps/plan_fixture.h"
#include "tests/unit/steps/step_bench.h"

namespace {

using step_bench::Bad;
using step_bench::Good;
using step_bench::json;
using step_bench::StepBench;
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a blank token is initialised once it is approved, gets both PINs, and is shown to be empty") {
  StepBench bench(false);
  Good(bench.Run("token.commission"));
  REQUIRE(bench.approvals.size() == 1);
  CHECK(bench.approvals[0].statement == "Take token root-hsm into service");
  CHECK(bench.approvals[0].subject == json{{"token", "root-hsm"}});
  CHECK(bench.approvals[0].calls_before == 0);
  CHECK(bench.Functions() == Names{"C_InitToken", "C_InitPIN"});
  REQUIRE(bench.entries.size() == 1);
  CHECK(bench.entries[0]["what"] == "token-commissioned");
  CHECK(bench.entries[0]["object_count"] == 0);
  REQUIRE(bench.achieved.size() == 1);
  CHECK(bench.achieved[0] == json{{"effect", "token-commissioned"},
                                  {"token", "root-hsm"},
                                  {"label", "root-hsm"},
                                  {"serial", "serial-1"},
                                  {"manufacturer", "Fake HSM Works"},
                                  {"model", "Fake Mk I"},
                                  {"firmware", "1.7"},
                                  {"role", "live"},
                                  {"domain", "organisation"}});
  CHECK(bench.slot().user_pin.has_value());
  CHECK(bench.adopted == 1);
}

TEST_CASE("nothing is done to a token that the quorum does not approve") {
  StepBench bench(false);
  bench.declines = true;
  CHECK(Bad(bench.Run("token.commission")).code == base::ErrorCode::kNoQuorum);
  CHECK(bench.Functions().empty());
  CHECK(bench.pins_chosen == 0);
  CHECK_FALSE(bench.slot().initialised);
}

TEST_CASE("a token that somebody has initialised is never wiped by commissioning it") {
  StepBench bench(true);
  const auto error = Bad(bench.Run("token.commission"));
  CHECK(error.rule == "TOKEN-COMMISSION-01");
  CHECK(error.message == "token \"root-hsm\" (serial serial-1) is initialised already and would be wiped");
  CHECK(bench.Functions().empty());
  CHECK(bench.approvals.empty());
  CHECK(bench.achieved.empty());
}

TEST_CASE("after a cut between C_InitToken and C_InitPIN, the step goes on with the token that it had begun") {
  StepBench bench(false);
  bench.slot().initialised = true;
  bench.slot().label = StepBench::kToken;
  bench.slot().so_pin = base::ToBytes(base::AsBytes(support::kSoPin));
  bench.done_before.resumed = true;
  Good(bench.Run("token.commission"));
  CHECK(bench.Functions() == Names{"C_InitPIN"});
  CHECK(bench.achieved.size() == 1);
}

TEST_CASE("after a cut behind C_InitPIN, no PIN is set again") {
  StepBench bench(false);
  bench.slot().initialised = true;
  bench.slot().label = StepBench::kToken;
  bench.slot().so_pin = base::ToBytes(base::AsBytes(support::kSoPin));
  bench.slot().user_pin = base::ToBytes(base::AsBytes(support::kUserPin));
  bench.done_before.resumed = true;
  Good(bench.Run("token.commission"));
  CHECK(bench.Functions().empty());
  CHECK(bench.achieved.size() == 1);
}

TEST_CASE("a new token that holds something is refused, with what it holds") {
  StepBench bench(true);
  bench.MakeKey("left", {1}, false);
  Good(bench.EndSession(StepBench::kToken));
  bench.done_before.resumed = true;  // so that the label is no stranger's
  const auto error = Bad(bench.Run("token.commission"));
  CHECK(error.rule == "TOKEN-COMMISSION-02");
  CHECK(error.message ==
        "token \"root-hsm\" (serial serial-1) holds 2 objects right after it was initialised, the first "
        "is private key \"left\" (id 01)");
  CHECK(bench.achieved.empty());
}

TEST_CASE("a token that its maker's tool has initialised is read, approved and confirmed, and not touched") {
  const auto take = [](StepBench& bench) {
    bench.Change("token.commission", "method", "vendor");
    bench.Change("token.commission", "procedure", "Fake HSM Works, partition set-up 4.2");
    bench.device->AddToken("serial-9", StepBench::kToken, support::kSoPin, support::kUserPin);
    return bench.Run("token.commission");
  };
  StepBench bench(false);
  bench.people = support::ScriptedTerminal(
      std::vector<support::ScriptedTerminal::Answer>{{"token.commission/vendor/root-hsm", "initialised"}});
  Good(take(bench));
  REQUIRE(bench.approvals.size() == 1);
  CHECK(bench.approvals[0].subject ==
        json{{"token", "root-hsm"}, {"method", "vendor"}, {"procedure", "Fake HSM Works, partition set-up 4.2"}});
  CHECK(bench.Functions().empty());
  CHECK(bench.pins_chosen == 0);
  REQUIRE(bench.entries.size() == 2);
  CHECK(bench.entries[0]["what"] == "confirmation");
  CHECK(bench.entries[0]["typed"] == "initialised");
  CHECK(bench.entries[1]["procedure"] == "Fake HSM Works, partition set-up 4.2");
  REQUIRE(bench.achieved.size() == 1);
  CHECK(bench.achieved[0]["serial"] == "serial-9");

  StepBench denied(false);
  denied.people = support::ScriptedTerminal(std::vector<support::ScriptedTerminal::Answer>{});  // nobody says so
  CHECK_FALSE(take(denied).ok());
  CHECK(denied.achieved.empty());
}

TEST_CASE("what a plan must know of a token that its maker's tool has initialised [PLAN-COMMISSION-01] [-02] [-03]") {
  plan_fixture::Files files;
  files.step(1)["method"] = "vendor";
  CHECK(
      plan_fixture::FindingsOf(files) ==
      Names{"PLAN-COMMISSION-01 breach commission: a token that its maker's tool has initialised names no procedure",
            "PLAN-COMMISSION-02 breach commission: token hsm is initialised before the ceremony, but the binding gives "
            "it no serial"});
  files.step(1)["procedure"] = "the maker's";
  json& bound = files.binding["tokens"]["hsm"];
  bound.erase("uninitialised");
  bound["serial"] = "77";
  CHECK(plan_fixture::FindingsOf(files) == Names{});
  bound["login"] = "shares";
  CHECK(plan_fixture::FindingsOf(files) ==
        Names{"PLAN-COMMISSION-03 breach commission: token hsm has PINs of its maker's tool, and the binding says "
              "shares, which nobody has"});
  // The other way round: what is initialised here is not bound by its serial.
  bound.erase("login");
  files.step(1).erase("method");
  CHECK(
      plan_fixture::FindingsOf(files) ==
      Names{
          "PLAN-TOKEN-03 breach commission: token hsm is to be commissioned, but the binding gives it a serial as one "
          "in service"});
}

TEST_CASE("a token is what the estate says when every object is a key of its, or the log key") {
  StepBench bench(true);
  bench.MakeKey("root-oca", {1}, true);
  bench.MakeKey("keyceremony log", {2}, false);
  Good(bench.Run("token.verify"));
  REQUIRE(bench.entries.size() == 1);
  const json& entry = bench.entries[0];
  CHECK(entry["what"] == "token");
  CHECK(entry["object_count"] == 4);
  CHECK(entry["inventory"].get<std::string>().size() == 64);
  CHECK(bench.people.transcript().find("is what the estate says it is") != std::string::npos);
}

TEST_CASE("a second private key that passes for the log key is somebody's copy [TOKEN-OBJECT-01] [KEY-STRANGER-02]") {
  StepBench bench(true);
  bench.MakeKey("keyceremony log", {2}, false);
  bench.MakeKey("keyceremony log", {3}, false);
  CHECK(Bad(bench.Run("token.verify")).rule == "TOKEN-OBJECT-01");
  const hsm::Inventory inventory = Good(hsm::TakeInventory(*Good(bench.Session(""))));
  CHECK(Bad(ceremony::steps::CheckForStrangers(bench, StepBench::kToken, inventory)).rule == "KEY-STRANGER-02");
}

TEST_CASE("an object that no record accounts for is named and refused, and so is one that cannot be read") {
  StepBench bench(true);
  bench.MakeKey("stranger", {9}, false);
  auto error = Bad(bench.Run("token.verify"));
  CHECK(error.rule == "TOKEN-OBJECT-01");
  CHECK(error.message ==
        "token \"root-hsm\" (serial serial-1) holds private key \"stranger\" (id 09), which no record accounts for; "
        "and 1 "
        "more finding");

  StepBench torn(true);
  torn.MakeKey("root-oca", {1}, true);
  torn.slot().objects.begin()->second.read_rv = CKR_ATTRIBUTE_VALUE_INVALID;
  error = Bad(torn.Run("token.verify"));
  CHECK(error.rule == "TOKEN-OBJECT-01");
  CHECK(error.message ==
        "token \"root-hsm\" (serial serial-1) holds object that cannot be read "
        "(CKR_ATTRIBUTE_VALUE_INVALID), which no record accounts for");
  // What was seen is in the record all the same, and what was wrong with it.
  REQUIRE(torn.entries.size() == 2);
  CHECK(torn.entries[0]["what"] == "token");
}

TEST_CASE("a key of the estate that the token has lost is missed") {
  StepBench bench(true);
  const hsm::KeyPair pair = bench.MakeKey("root-oca", {1}, true);
  Good(Good(bench.Session(""))->Destroy(pair.private_object));
  const auto error = Bad(bench.Run("token.verify"));
  CHECK(error.rule == "TOKEN-OBJECT-02");
  CHECK(error.message ==
        "token \"root-hsm\" (serial serial-1) lacks the private key of root-oca, which the estate says it holds");
}

TEST_CASE("another device under the same label is refused") {
  StepBench bench(true);
  bench.slot().serial = "serial-2";
  const auto error = Bad(bench.Run("token.verify"));
  CHECK(error.rule == "TOKEN-SERIAL-01");
  CHECK(error.message == "token root-hsm has the serial serial-2, the estate knows it with serial serial-1");
}

TEST_CASE("a token without a mechanism that the script asks for is refused") {
  StepBench whole(true);
  whole.Change("token.verify", "mechanisms", {"CKM_EC_KEY_PAIR_GEN", "CKM_ECDSA"});
  Good(whole.Run("token.verify"));
  StepBench bench(true);
  bench.Change("token.verify", "mechanisms", {"CKM_EC_KEY_PAIR_GEN", "CKM_ECDSA"});
  std::erase(bench.slot().mechanisms, CK_MECHANISM_TYPE{CKM_ECDSA});
  const auto error = Bad(bench.Run("token.verify"));
  CHECK(error.rule == "TOKEN-MECH-01");
  CHECK(error.message.starts_with("token \"root-hsm\" (serial serial-1) does not have the mechanism CKM_ECDSA"));
}

namespace {

// tpm2-pkcs11 1.9 calls the user PIN set as soon as a token is initialised.
class EarlyPinFlag final : public support::PassingCryptoki {
 public:
  using PassingCryptoki::PassingCryptoki;
  CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) override {
    const CK_RV rv = InterceptingCryptoki::GetTokenInfo(slot, info);
    if (rv == CKR_OK && (info->flags & CKF_TOKEN_INITIALIZED) != 0) info->flags |= CKF_USER_PIN_INITIALIZED;
    return rv;
  }
  CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) override {
    ++logins;
    return InterceptingCryptoki::Login(session, user, pin, pin_size);
  }
  int logins = 0;
};

}  // namespace

TEST_CASE("a token that calls its user PIN set when it is not gets one all the same") {
  StepBench bench(false);
  auto api = std::make_unique<EarlyPinFlag>(std::make_unique<support::FakeCryptoki>(bench.device));
  const EarlyPinFlag& seen = *api;
  bench.module =
      Good(hsm::Module::Wrap(std::move(api), {.path = "fake", .environment = {}, .init_args = {}}, bench.observer));
  Good(bench.Run("token.commission"));
  CHECK(bench.Functions() == Names{"C_InitToken", "C_InitPIN"});
  CHECK(bench.slot().user_pin.has_value());
  CHECK(bench.slot().user_failures == 0);
  CHECK(seen.logins == 3);  // the user, whom nobody knows yet; the security officer; the user
}

namespace {

// A bench whose module is one that the table of limits knows.
void BecomeModuleOf(StepBench& bench, const char* manufacturer, const char* description) {
  bench.device->manufacturer = manufacturer;
  bench.device->description = description;
  bench.module = Good(hsm::Module::Wrap(std::make_unique<support::FakeCryptoki>(bench.device),
                                        {.path = "fake", .environment = {}, .init_args = {}}, bench.observer));
}
constexpr const char* kIbm = "IBM";
constexpr const char* kMeta = "Meta PKCS11 LIBRARY";

}  // namespace

TEST_CASE("a key that may leave is not asked of a module that makes none [KEY-GEN-04]") {
  StepBench bench(true);
  BecomeModuleOf(bench, "tpm2-software.github.io", "TPM2.0 Cryptoki");
  const auto error = Bad(bench.Run("key.generate"));
  CHECK(error.rule == "KEY-GEN-04");
  CHECK(error.hint.starts_with("say \"extractable\": false"));
  CHECK(bench.approvals.empty());
}

TEST_CASE("a token that its maker's tool alone initialises is refused before anybody is asked [TOKEN-COMMISSION-03]") {
  StepBench bench(false);
  BecomeModuleOf(bench, kIbm, kMeta);
  const auto error = Bad(bench.Run("token.commission"));
  CHECK(error.rule == "TOKEN-COMMISSION-03");
  CHECK(error.message ==
        "the uninitialised token in slot 4096 takes the SO PIN of its maker and no other: its maker's tool alone "
        "initialises it");
  CHECK(error.hint == "initialise it with that tool before the ceremony, and say \"method\": \"vendor\"");
  CHECK(bench.approvals.empty());
  CHECK(bench.pins_chosen == 0);
  CHECK(bench.Functions().empty());
}

TEST_CASE("a token that takes no PIN of the policy's size is refused before anybody is asked for one [TOKEN-PIN-01]") {
  const auto refused = [](CK_ULONG least, CK_ULONG most) {
    StepBench bench(false);
    bench.slot().habits.pin_min = least;
    bench.slot().habits.pin_max = most;
    const auto error = Bad(bench.Run("token.commission"));
    CHECK(error.rule == "TOKEN-PIN-01");
    CHECK(bench.approvals.empty());
    CHECK(bench.pins_chosen == 0);
    return error.message;
  };
  // The policy says 16 for both.
  CHECK(refused(4, 15) ==
        "the policy asks for PINs of 16 characters, and the uninitialised token in slot 4096 takes 4 to 15");
  CHECK(refused(17, 255).ends_with("takes 17 to 255"));
  CHECK(refused(17, 0).ends_with("takes 17 or more"));
  StepBench fits(false);
  fits.slot().habits.pin_min = 4;
  fits.slot().habits.pin_max = 16;
  Good(fits.Run("token.commission"));
}

TEST_CASE("PINs are held to both of their sizes, to the token, and to its row of quirks") {
  hsm::TokenInfo info;
  const hsm::Quirks plain = hsm::QuirksOf("Acme", "HSM", "/x/acme.so");
  const hsm::Quirks ibm = hsm::QuirksOf(kIbm, kMeta, "/x/libopencryptoki.so");
  const auto rule = [&](const hsm::Quirks& quirks, int user, int officer) -> std::string {
    const auto checked = ceremony::steps::CheckTakesPins(info, quirks, {"0123456789", user, officer});
    return checked.ok() ? "" : checked.error().rule;
  };
  CHECK(rule(plain, 4, 64) == "");  // a token that says nothing takes everything
  CHECK(rule(ibm, 8, 8) == "");
  CHECK(rule(ibm, 9, 8) == "TOKEN-PIN-01");
  CHECK(rule(ibm, 8, 9) == "TOKEN-PIN-01");
  info.pin_min = CK_UNAVAILABLE_INFORMATION;
  info.pin_max = CK_UNAVAILABLE_INFORMATION;
  CHECK(rule(plain, 4, 64) == "");
  CHECK(rule(ibm, 4, 8) == "");
  info.pin_min = 6;
  info.pin_max = 12;
  CHECK(rule(plain, 5, 12) == "TOKEN-PIN-01");
  CHECK(rule(plain, 6, 12) == "");
  CHECK(rule(ibm, 6, 9) == "TOKEN-PIN-01");
}

TEST_CASE("PINs that are typed on the token's own pad are no affair of the policy") {
  StepBench bench(false);
  bench.slot().habits.pin_max = 8;
  const ceremony::steps::BlankToken blank = Good(bench.LocateBlankToken(StepBench::kToken));
  ceremony::script::Inputs inputs = bench.inputs();
  ceremony::script::TokenBinding bound;
  bound.name = StepBench::kToken;
  inputs.binding.emplace().tokens.push_back(bound);
  CHECK(Bad(ceremony::steps::CheckInitialises(blank, StepBench::kToken, inputs)).rule == "TOKEN-PIN-01");
  inputs.binding->tokens[0].login = ceremony::script::Login::kProtectedPath;
  Good(ceremony::steps::CheckInitialises(blank, StepBench::kToken, inputs));
}

TEST_CASE("a token that nobody could show to be empty is not wiped [TOKEN-RETIRE-02]") {
  StepBench bench(true);
  Good(ceremony::steps::CheckZeroises(*Good(bench.LocateToken(StepBench::kToken))));
  BecomeModuleOf(bench, kIbm, kMeta);
  const auto error = Bad(ceremony::steps::CheckZeroises(*Good(bench.LocateToken(StepBench::kToken))));
  CHECK(error.rule == "TOKEN-RETIRE-02");
  CHECK(error.message ==
        "nobody can log in to token \"root-hsm\" (serial serial-1) after C_InitToken, and show that it is empty");
  CHECK(error.hint.find("\"method\": \"evidence\"") != std::string::npos);
}

TEST_CASE("a mechanism that is missing is named with what it is for and with the way out [TOKEN-MECH-02]") {
  StepBench bench(true);
  const std::shared_ptr<hsm::Token> token = Good(bench.LocateToken(StepBench::kToken));
  Good(ceremony::steps::CheckMechanisms(*token, {{StepBench::kToken, {0x7ff, CKM_ECDSA}, "to sign"}}, "none"));
  const auto error =
      Bad(ceremony::steps::CheckMechanisms(*token, {{StepBench::kToken, {0x7ff}, "to sign"}}, "take another"));
  CHECK(error.rule == "TOKEN-MECH-02");
  CHECK(error.message ==
        "token \"root-hsm\" (serial serial-1) does not have the mechanism 0x7ff, which is needed to sign");
  CHECK(error.hint == "take another");
}
