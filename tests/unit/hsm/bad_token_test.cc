// What a token may do wrong, and what is said about it.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "hsm/faulty_cryptoki.h"
#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "hsm/login.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"
#include "tests/support/fake_token.h"
#include "tests/support/listening_observer.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using base::ErrorCode;
using base::SignatureScheme;
using hsm::Consequence;
using support::Bad;
using support::FakeHabits;
using support::Good;
using support::Pin;
using support::SoftHsm;

struct FakeHsm {
  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  std::shared_ptr<support::ListeningObserver> observer = std::make_shared<support::ListeningObserver>();
  std::shared_ptr<hsm::FaultPlan> plan = std::make_shared<hsm::FaultPlan>();

  FakeHsm() { device->AddToken("serial-1", "root", support::kSoPin, support::kUserPin); }
  FakeHabits& habits() { return device->slots[0].habits; }
  std::shared_ptr<hsm::Token> Token() {
    auto module = Good(
        hsm::Module::Wrap(std::make_unique<hsm::FaultyCryptoki>(std::make_unique<support::FakeCryptoki>(device), plan),
                          {.path = "fake", .environment = {}, .init_args = {}}, observer));
    return Good(hsm::Token::Locate(module, "root", "serial-1"));
  }
};

TEST_CASE("a token that makes another key than was asked is caught, and what it left is named") {
  struct Row {
    std::function<void(FakeHabits&)> habit;
    const char* rule;
    const char* part;
  };
  const Row rows[] = {
      {[](FakeHabits& h) { h.generate_ignores_protection = true; }, "KEY-ATTR-01",
       "private CKA_SENSITIVE is false, true was asked; private CKA_EXTRACTABLE is true, false was asked"},
      {[](FakeHabits& h) { h.lies[CKA_EXTRACTABLE] = {1}; }, "KEY-ATTR-02",
       "private CKA_EXTRACTABLE is true, false was asked"},
      {[](FakeHabits& h) { h.lies[CKA_LOCAL] = {0}; }, "KEY-ATTR-03", "private CKA_LOCAL is false, true was asked"},
      {[](FakeHabits& h) { h.lies[CKA_ALWAYS_SENSITIVE] = {0}; }, "KEY-ATTR-04",
       "private CKA_ALWAYS_SENSITIVE is false"},
      {[](FakeHabits& h) { h.lies[CKA_NEVER_EXTRACTABLE] = {0}; }, "KEY-ATTR-05",
       "private CKA_NEVER_EXTRACTABLE is false"},
      {[](FakeHabits& h) { h.lies[CKA_MODIFIABLE] = {1}; }, "KEY-ATTR-06",
       "private CKA_MODIFIABLE is true, false was asked"},
      {[](FakeHabits& h) { h.lies[CKA_DERIVE] = {1}; }, "KEY-ATTR-07", "private CKA_DERIVE is true, false was asked"},
      {[](FakeHabits& h) { h.lies[CKA_KEY_GEN_MECHANISM] = base::Bytes(8, 0xff); }, "KEY-ATTR-08",
       "private CKA_KEY_GEN_MECHANISM is unavailable, CKM_EC_KEY_PAIR_GEN was asked"},
      {[](FakeHabits& h) { h.lies[CKA_TOKEN] = {0}; }, "KEY-ATTR-09", "private CKA_TOKEN is false, true was asked"},
      {[](FakeHabits& h) { h.loses_id = true; }, "KEY-ATTR-10", "private CKA_ID is , 01 was asked"},
      {[](FakeHabits& h) { h.lies[CKA_EC_POINT] = base::Bytes(67, 4); }, "KEY-ATTR-11",
       "the public object has no usable public key"},
      {[](FakeHabits& h) { h.lies[CKA_SIGN] = {0x42}; }, "KEY-ATTR-07", "private CKA_SIGN is 42, true was asked"},
      {[](FakeHabits& h) {
         h.lies[CKA_LABEL] = {0x1b, 0x5b};
       },
       "KEY-ATTR-10", "private CKA_LABEL is 1b5b, k was asked"},
      {[](FakeHabits& h) { h.lies[CKA_COPYABLE] = {1}; }, "KEY-ATTR-13",
       "private CKA_COPYABLE is true, false was asked"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.rule);
    FakeHsm fake;
    row.habit(fake.habits());
    const auto token = fake.Token();
    auto login = SoftHsm::Login(token);
    const auto made = hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}});
    REQUIRE_FALSE(made.key.ok());
    CHECK(made.key.error().code == ErrorCode::kCorrupt);
    CHECK(made.key.error().rule == row.rule);
    CAPTURE(made.key.error().message);
    CHECK(made.key.error().message.find(row.part) != std::string::npos);
    CHECK(made.key.error().message.find("left on token \"root\" (serial serial-1): private key") != std::string::npos);
    CHECK(made.left_behind.size() == 2);
    REQUIRE(fake.observer->after.size() == 1);
    CHECK(fake.observer->after[0].rv == CKR_OK);
    CHECK(fake.observer->after[0].problem.find(row.part) != std::string::npos);
    // What is left can be removed by whoever may.
    fake.habits() = FakeHabits();
    for (const hsm::Object& object : made.left_behind) Good(login.session().Destroy(object));
    CHECK(Good(hsm::TakeInventory(login.session())).items.empty());
  }
}

TEST_CASE(
    "a public object of another key is caught where the private object shows its own, and else by the first "
    "signature") {
  FakeHsm fake;
  fake.habits().mismatches_public_key = true;
  fake.habits().public_key_info = FakeHabits::PublicInfo::kPresent;
  {
    const auto token = fake.Token();
    auto login = SoftHsm::Login(token);
    const auto made = hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}});
    REQUIRE_FALSE(made.key.ok());
    CHECK((made.key.error().rule == "KEY-ATTR-12" || made.key.error().rule == "KEY-ATTR-11"));
  }
  fake.habits().public_key_info = FakeHabits::PublicInfo::kEmpty;
  const auto token = fake.Token();
  auto login = SoftHsm::Login(token);
  const auto made = Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {2}}).key);
  CHECK(Bad(hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa, base::AsBytes("m"), Consequence::kLogKey))
            .rule == "KEY-SIGN-01");
}

TEST_CASE("a raw point and both spellings of Ed25519 are understood") {
  for (const bool raw : {false, true}) {
    FakeHsm fake;
    fake.habits().raw_ec_point = raw;
    const auto token = fake.Token();
    auto login = SoftHsm::Login(token);
    std::uint8_t number = 0;
    for (const auto algorithm :
         {base::KeyAlgorithm::kEcP256, base::KeyAlgorithm::kEcP521, base::KeyAlgorithm::kEd25519}) {
      const auto made =
          Good(hsm::GenerateKeyPair(login.session(), {.algorithm = algorithm, .label = "k", .id = {1, number++}}).key);
      Good(hsm::FindKeyBySpki(login.session(), made.pair.public_key));
    }
  }
}

TEST_CASE("signatures that are wrong in any way never come out, and short ones are repaired") {
  struct Row {
    FakeHabits::Signatures signatures;
    bool good;
  };
  for (const Row& row : {Row{FakeHabits::Signatures::kGood, true}, Row{FakeHabits::Signatures::kHighS, true},
                         Row{FakeHabits::Signatures::kWrong, false}, Row{FakeHabits::Signatures::kTruncated, false},
                         Row{FakeHabits::Signatures::kEmpty, false}, Row{FakeHabits::Signatures::kDer, false}}) {
    FakeHsm fake;
    const auto token = fake.Token();
    auto login = SoftHsm::Login(token);
    const auto made = Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key);
    fake.habits().signatures = row.signatures;
    for (int i = 0; i < 8; ++i) {
      const auto signature = hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa,
                                       base::AsBytes("message " + std::to_string(i)), Consequence::kLogKey);
      CHECK(signature.ok() == row.good);
      if (signature.ok()) Good(base::CheckStrictLowSDer(base::Curve::kP256, *signature));
    }
  }
  FakeHsm fake;
  fake.habits().signatures = FakeHabits::Signatures::kConstant;
  const auto token = fake.Token();
  auto login = SoftHsm::Login(token);
  const auto made = Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key);
  Good(hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa, base::AsBytes("first"), Consequence::kLogKey));
  CHECK(
      Bad(hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa, base::AsBytes("second"), Consequence::kLogKey))
          .rule == "KEY-SIGN-01");
}

TEST_CASE("lengths and counts that cannot be are errors, not crashes and not huge buffers") {
  FakeHsm fake;
  const auto token = fake.Token();
  auto login = SoftHsm::Login(token);
  const auto made = Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key);
  SUBCASE("attributes") {
    fake.habits().absurd_attribute_lengths = true;
    const auto inventory = Good(hsm::TakeInventory(login.session()));
    CHECK(inventory.items.size() == 2);
    CHECK(Bad(login.session().ReadSecret(made.pair.public_object->handle(), CKA_LABEL)).message ==
          "C_GetAttributeValue gave nonsense: 1099511627776 bytes for CKA_LABEL");
  }
  SUBCASE("attributes that never fit") {
    fake.habits().growing_attributes = true;
    const auto inventory = Good(hsm::TakeInventory(login.session()));
    CHECK(inventory.items.size() == 2);
    CHECK(inventory.Text().find("(unreadable)") != std::string::npos);
  }
  SUBCASE("objects") {
    fake.habits().absurd_find_count = true;
    CHECK(Bad(hsm::TakeInventory(login.session())).message ==
          "C_FindObjects gave nonsense: 257 objects in a list for 256");
    fake.habits().absurd_find_count = false;
    // The search was closed all the same.
    CHECK(Good(hsm::TakeInventory(login.session())).items.size() == 2);
  }
  SUBCASE("slots") {
    fake.habits().absurd_slot_count = true;
    CHECK(Bad(token->module().ListTokens()).message == "C_GetSlotList gave nonsense: 1099511627776 slots");
  }
  SUBCASE("signatures") {
    fake.habits().absurd_signature_length = true;
    CHECK(Bad(hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa, base::AsBytes("m"), Consequence::kLogKey))
              .message == "C_Sign gave nonsense: a signature of 1099511627776 bytes");
  }
  SUBCASE("attributes that lie about their size") {
    fake.habits().lies[CKA_CLASS] = base::Bytes(3);
    fake.habits().lies[CKA_ID] = base::Bytes(70000);
    const auto inventory = Good(hsm::TakeInventory(login.session()));
    CHECK(inventory.items.size() == 2);
    CHECK(inventory.Text().find("CKA_ID=(unreadable)") != std::string::npos);
  }
}

TEST_CASE("a PIN that would lock the token is not tried, and a locked one is named") {
  FakeHsm fake;
  fake.habits().pin_tries = 3;
  const auto token = fake.Token();
  CHECK(Bad(hsm::LoginScope::Open(token, hsm::User::kUser, Pin("0000")))
            .message.ends_with("at least one since the last right one"));
  CHECK(Bad(hsm::LoginScope::Open(token, hsm::User::kUser, Pin("0000")))
            .message.ends_with("one more wrong PIN locks it"));
  fake.observer->calls.clear();
  const auto last = Bad(hsm::LoginScope::Open(token, hsm::User::kUser, Pin(support::kUserPin)));
  CHECK(last.rule == "TOKEN-LOGIN-02");
  CHECK(last.message == "one more wrong user PIN would lock token \"root\" (serial serial-1)");
  CHECK(std::ranges::find_if(fake.observer->calls, [](const std::string& call) {
          return call.starts_with("C_Login");
        }) == fake.observer->calls.end());
  fake.device->slots[0].user_failures = 3;
  CHECK(Bad(hsm::LoginScope::Open(token, hsm::User::kUser, Pin(support::kUserPin))).rule == "TOKEN-LOGIN-01");
  CHECK(Bad(hsm::Token::Initialise(token->shared_module(), token->slot(), "x", Pin("0000"), hsm::Retire::kYes)).rv ==
        CKR_PIN_INCORRECT);
}

TEST_CASE("a PIN that was just locked comes with the way out of it, which is not one for both users") {
  for (const auto& [user, hint] : {std::pair{hsm::User::kUser, "the security officer must set a new user PIN"},
                                   {hsm::User::kSecurityOfficer,
                                    "the token can only be initialised again, which "
                                    "wipes it"}}) {
    FakeHsm fake;
    fake.habits().pin_tries = 1;
    const auto token = fake.Token();
    const auto locked = Bad(hsm::LoginScope::Open(token, user, Pin("00000000")));
    CHECK(locked.rv == CKR_PIN_LOCKED);
    CHECK(locked.hint == hint);
    CHECK(Bad(hsm::LoginScope::Open(token, user, Pin("00000000"))).hint == hint);
  }
}

TEST_CASE("a label that a token would not show as it was given is refused before anything is wiped") {
  FakeHsm fake;
  const auto token = fake.Token();
  for (const char* label : {"root ", " ", "ro\x01ot", "ro\xffot"}) {
    const auto refused = Bad(
        hsm::Token::Initialise(token->shared_module(), token->slot(), label, Pin(support::kSoPin), hsm::Retire::kYes));
    CHECK(refused.code == ErrorCode::kInvalidInput);
    CHECK(refused.hint == "a label is text without control characters, and does not end in a blank");
  }
  CHECK(fake.observer->before.empty());
  CHECK(fake.device->slots[0].label == "root");
}

TEST_CASE("a token with a PIN pad is asked for no PIN") {
  FakeHsm fake;
  fake.habits().protected_path = true;
  fake.device->slots[0].pin_pad = support::kUserPin;
  const auto token = fake.Token();
  const auto login = Good(hsm::LoginScope::Open(token, hsm::User::kUser, base::SecretBytes()));
  CHECK(login.owns_login());
}

TEST_CASE("a destroyed object that is still there is noticed") {
  FakeHsm fake;
  const auto token = fake.Token();
  auto login = SoftHsm::Login(token);
  const auto made = Good(hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}}).key);
  fake.habits().destroy_is_a_lie = true;
  const auto error = Bad(hsm::DestroyKeyPair(login.session(), made.pair));
  CHECK(error.rule == "OBJECT-DESTROY-01");
  CHECK(error.message ==
        "destroying private key \"k\" (id 01) on token \"root\" (serial serial-1): C_DestroyObject said CKR_OK, "
        "and the object is still there; public key \"k\" (id 01) was not touched either");
}

TEST_CASE("an attribute that a token ignores when it is set is named with both values") {
  FakeHsm fake;
  const auto token = fake.Token();
  auto login = SoftHsm::Login(token);
  const auto made =
      Good(hsm::GenerateKeyPair(
               login.session(),
               {.label = "k", .id = {1}, .extractable = hsm::Extractable::kYes, .modifiable = hsm::Modifiable::kYes})
               .key);
  fake.habits().lies[CKA_EXTRACTABLE] = {1};
  hsm::Template seal;
  seal.Bool(CKA_EXTRACTABLE, false);
  const auto error = Bad(login.session().SetAttributes(made.pair.private_object, seal));
  CHECK(error.rule == "OBJECT-SET-01");
  CHECK(
      error.message ==
      "private key \"k\" (id 01): the token ignored a part of the template: CKA_EXTRACTABLE is true, false was asked");
}

// Every call of a life of a token fails once with every plausible error. Nothing
// may crash, be swallowed, stay open, or be made twice.
TEST_CASE("whatever call fails, the failure comes out and the next attempt works") {
  const auto life = [](FakeHsm& fake) -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(auto module,
                        hsm::Module::Wrap(std::make_unique<hsm::FaultyCryptoki>(
                                              std::make_unique<support::FakeCryptoki>(fake.device), fake.plan),
                                          {.path = "fake", .environment = {}, .init_args = {}}, fake.observer));
    KC_ASSIGN_OR_RETURN(auto token, hsm::Token::Locate(module, "root", "serial-1"));
    KC_ASSIGN_OR_RETURN(auto login, hsm::LoginScope::Open(token, hsm::User::kUser, Pin(support::kUserPin)));
    auto made = hsm::GenerateKeyPair(login.session(), {.label = "k", .id = {1}});
    KC_ASSIGN_OR_RETURN(auto key, std::move(made.key));
    KC_RETURN_IF_ERROR(
        hsm::Sign(login.session(), key.pair, SignatureScheme::kEcdsa, base::AsBytes("m"), Consequence::kCeremonyKey));
    KC_RETURN_IF_ERROR(hsm::FindKeyBySpki(login.session(), key.pair.public_key));
    KC_RETURN_IF_ERROR(login.session().GenerateRandom(16));
    KC_RETURN_IF_ERROR(hsm::DestroyKeyPair(login.session(), key.pair));
    return login.Close();
  };
  FakeHsm counting;
  counting.observer->take_inventories = true;
  Good(life(counting));
  const std::vector<hsm::Function> calls(counting.plan->calls().begin(), counting.plan->calls().end());
  REQUIRE(calls.size() > 50);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    for (const CK_RV rv : hsm::PlausibleErrors(calls[i])) {
      for (const auto kind : {hsm::Fault::Kind::kFailInstead, hsm::Fault::Kind::kFailAfter}) {
        CAPTURE(i);
        CAPTURE(hsm::FunctionName(calls[i]));
        CAPTURE(hsm::RvName(rv));
        FakeHsm fake;
        fake.observer->take_inventories = true;
        fake.plan = std::make_shared<hsm::FaultPlan>(hsm::Fault{.call = i + 1, .kind = kind, .rv = rv});
        const auto outcome = life(fake);
        CHECK(fake.plan->struck());
        // What is said of one object or attribute becomes a part of the inventory;
        // what a destructor hears goes to the observer; all else ends the life.
        const bool of_one_object = calls[i] == hsm::Function::kGetAttributeValue && rv != CKR_DEVICE_ERROR &&
                                   rv != CKR_DEVICE_REMOVED && rv != CKR_SESSION_HANDLE_INVALID &&
                                   rv != CKR_HOST_MEMORY;
        const bool heard = !outcome.ok() || !fake.observer->troubles.empty() || of_one_object ||
                           rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
        CHECK(heard);
        // Each call that Before let pass has its After, whatever became of it.
        const auto passed = std::ranges::count_if(fake.observer->calls,
                                                  [](const std::string& call) { return call.starts_with("before "); });
        CHECK(static_cast<std::size_t>(passed) == fake.observer->after.size());
      }
    }
  }
}

}  // namespace
