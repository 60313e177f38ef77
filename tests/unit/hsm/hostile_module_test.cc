// Modules that break PKCS#11 in ways that real ones do, played on the fake token: what they say is bounded, understood
// where it can be, and refused by name where it cannot.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>

#include "hsm/describe.h"
#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "hsm/login.h"
#include "hsm/lookup.h"
#include "hsm/real_cryptoki.h"
#include "hsm/sign.h"
#include "tests/support/fake_token.h"
#include "tests/support/listening_observer.h"
#include "tests/support/objects.h"
#include "tests/support/passing_cryptoki.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using support::Bad;
using support::Good;

// What one test makes a module do; unset: as the fake does.
struct Habits {
  int growing_lists = 0;  // so often a list of slots or mechanisms has grown since its size was asked
  bool slot_twice = false;
  std::function<void(CK_INFO&)> info;
  std::function<void(CK_TOKEN_INFO&)> token_info;
  std::function<CK_RV(CK_ATTRIBUTE&)> attribute;        // instead of reading it; CKR_VENDOR_DEFINED: read it
  std::function<CK_RV(CK_BYTE*, CK_ULONG*)> signature;  // after a good one, with the size of the buffer
  std::function<CK_RV(CK_OBJECT_HANDLE*, CK_OBJECT_HANDLE*)> pair;  // after a good one
  CK_RV sign_instead = CKR_OK;                                      // C_Sign returns this, and the operation stays
  CK_RV finalize_instead = CKR_OK;                                  // C_Finalize returns this, and does nothing
  bool finalize_does_nothing = false;                               // C_Finalize says CKR_OK
  bool session_without_handle = false;
  bool new_handles_forever = false;
};

class Hostile final : public support::PassingCryptoki {
 public:
  Hostile(std::unique_ptr<hsm::CryptokiApi> inner, std::shared_ptr<Habits> habits)
      : PassingCryptoki(std::move(inner)), habits_(std::move(habits)) {}

  CK_RV Finalize() override {
    if (habits_->finalize_instead != CKR_OK) return habits_->finalize_instead;
    return habits_->finalize_does_nothing ? CKR_OK : PassingCryptoki::Finalize();
  }
  CK_RV GetInfo(CK_INFO* info) override {
    const CK_RV rv = PassingCryptoki::GetInfo(info);
    if (habits_->info) habits_->info(*info);
    return rv;
  }
  CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) override {
    const CK_RV rv = PassingCryptoki::GetTokenInfo(slot, info);
    if (habits_->token_info) habits_->token_info(*info);
    return rv;
  }
  CK_RV GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) override {
    if (slots != nullptr && HasGrown()) return CKR_BUFFER_TOO_SMALL;
    if (!habits_->slot_twice) return PassingCryptoki::GetSlotList(token_present, slots, count);
    if (slots == nullptr) {
      *count = 2;
      return CKR_OK;
    }
    CK_ULONG one = 1;
    const CK_RV rv = PassingCryptoki::GetSlotList(token_present, slots, &one);
    slots[1] = slots[0];
    return rv;
  }
  CK_RV GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) override {
    if (mechanisms != nullptr && HasGrown()) return CKR_BUFFER_TOO_SMALL;
    return PassingCryptoki::GetMechanismList(slot, mechanisms, count);
  }
  CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) override {
    const CK_RV rv = PassingCryptoki::OpenSession(slot, flags, session);
    if (habits_->session_without_handle) *session = CK_INVALID_HANDLE;
    return rv;
  }
  CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override {
    CK_RV result = PassingCryptoki::GetAttributeValue(session, object, attributes, count);
    for (CK_ULONG i = 0; habits_->attribute && i < count; ++i) {
      const CK_RV rv = habits_->attribute(attributes[i]);
      if (rv != CKR_OK && rv != CKR_VENDOR_DEFINED) result = rv;
    }
    return result;
  }
  CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity, CK_ULONG* count) override {
    if (!habits_->new_handles_forever) return PassingCryptoki::FindObjects(session, objects, capacity, count);
    for (CK_ULONG i = 0; i < capacity; ++i) objects[i] = ++handle_;
    *count = capacity;
    return CKR_OK;
  }
  CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
             CK_ULONG* signature_size) override {
    if (habits_->sign_instead != CKR_OK) return habits_->sign_instead;
    const CK_RV rv = PassingCryptoki::Sign(session, data, data_size, signature, signature_size);
    return rv == CKR_OK && habits_->signature ? habits_->signature(signature, signature_size) : rv;
  }
  CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) override {
    const CK_RV rv = PassingCryptoki::GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                                      private_attributes, private_count, public_key, private_key);
    return rv == CKR_OK && habits_->pair ? habits_->pair(public_key, private_key) : rv;
  }

 private:
  bool HasGrown() const { return habits_->growing_lists > 0 && habits_->growing_lists-- > 0; }

  std::shared_ptr<Habits> habits_;
  CK_OBJECT_HANDLE handle_ = 0;
};

struct HostileHsm {
  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  std::shared_ptr<support::ListeningObserver> observer = std::make_shared<support::ListeningObserver>();
  std::shared_ptr<Habits> habits = std::make_shared<Habits>();

  HostileHsm() { device->AddToken("serial-1", "root", support::kSoPin, support::kUserPin); }
  std::shared_ptr<hsm::Module> Load() {
    return Good(hsm::Module::Wrap(std::make_unique<Hostile>(std::make_unique<support::FakeCryptoki>(device), habits),
                                  {.path = "fake", .environment = {}, .init_args = {}}, observer));
  }
  std::shared_ptr<hsm::Token> Token() { return Good(hsm::Token::Locate(Load(), "root", "serial-1")); }
};

hsm::KeyGeneration Make(hsm::Session& session, base::KeyAlgorithm algorithm = base::KeyAlgorithm::kEcP256) {
  return hsm::GenerateKeyPair(session, {.algorithm = algorithm, .label = "k", .id = {1}});
}

base::Result<base::Bytes> SignWith(hsm::Session& session, const hsm::KeyPair& pair) {
  return hsm::Sign(session, pair, hsm::DefaultScheme(pair.public_key.algorithm()), base::AsBytes("words"),
                   hsm::Consequence::kCeremonyKey);
}

template <std::size_t N>
void Fill(unsigned char (&field)[N], std::string_view text, char padding) {
  std::memset(field, padding, N);
  std::memcpy(field, text.data(), std::min(N, text.size()));
}

}  // namespace

TEST_CASE("a list that has grown since its size was asked is asked for again, and not for ever") {
  HostileHsm fake;
  fake.habits->growing_lists = 3;
  const auto token = fake.Token();
  fake.habits->growing_lists = 3;
  CHECK(Good(token->HasMechanism(CKM_ECDSA)));

  fake.habits->growing_lists = 1000;
  CHECK(Bad(token->module().ListTokens()).rv == CKR_BUFFER_TOO_SMALL);
  const auto again = std::make_shared<hsm::Token>(token->shared_module(), token->info());
  CHECK(Bad(again->Mechanisms()).rv == CKR_BUFFER_TOO_SMALL);
}

TEST_CASE("a slot that is listed twice is one token, not two of one name") {
  HostileHsm fake;
  fake.habits->slot_twice = true;
  CHECK(fake.Token()->info().serial == "serial-1");
}

TEST_CASE("names are taken as they stand: padded with blanks, ended with NUL, or filling their field") {
  const std::string full(32, 'x');
  for (const auto& [text, padding] : {std::pair<std::string, char>{"root", ' '}, {"root", '\0'}, {full, ' '}}) {
    HostileHsm fake;
    fake.habits->token_info = [text = text, padding = padding](CK_TOKEN_INFO& info) {
      Fill(info.label, text, padding);
      Fill(info.serialNumber, "0123456789abcdef", padding);
      Fill(info.manufacturerID, "", padding);
    };
    const auto token = Good(hsm::Token::Locate(fake.Load(), text, "0123456789abcdef"));
    CHECK(token->info().manufacturer.empty());
  }
  // What is no text is spelled, so that it can do nothing to a terminal.
  HostileHsm fake;
  fake.habits->token_info = [](CK_TOKEN_INFO& info) { Fill(info.label, "\x1b[2J", ' '); };
  CHECK(Good(fake.Load()->ListTokens())[0].label == "1b5b324a");
}

TEST_CASE("a module of PKCS#11 3.1, and one that does not know its own version, are used as they are") {
  for (const CK_VERSION version : {CK_VERSION{3, 1}, CK_VERSION{2, 40}, CK_VERSION{0, 0}, CK_VERSION{255, 255}}) {
    HostileHsm fake;
    fake.habits->info = [version](CK_INFO& info) { info.cryptokiVersion = version; };
    const auto module = fake.Load();
    CHECK(module->info().cryptoki_version == std::to_string(version.major) + "." + std::to_string(version.minor));
    CHECK(Good(module->ListTokens()).size() == 1);
  }
}

TEST_CASE("a function list with holes gives errors, not crashes") {
  CK_FUNCTION_LIST list{};
  list.version = {2, 40};
  const auto none = Bad(hsm::Module::Wrap(std::make_unique<hsm::RealCryptoki>(&list),
                                          {.path = "holes", .environment = {}, .init_args = {}}, nullptr));
  CHECK(none.rv == CKR_FUNCTION_NOT_SUPPORTED);
  CHECK(none.call == "C_Initialize");
  hsm::RealCryptoki api(&list);
  CK_ULONG number = 0;
  CK_BYTE octet = 0;
  const CK_RV returned[] = {
      api.Finalize(),
      api.GetInfo(nullptr),
      api.GetSlotList(CK_TRUE, nullptr, &number),
      api.GetTokenInfo(0, nullptr),
      api.GetMechanismList(0, nullptr, &number),
      api.OpenSession(0, 0, &number),
      api.Login(1, CKU_USER, &octet, 1),
      api.InitToken(0, &octet, 1, &octet),
      api.InitPin(1, &octet, 1),
      api.GetAttributeValue(1, 1, nullptr, 0),
      api.FindObjectsInit(1, nullptr, 0),
      api.FindObjects(1, &number, 1, &number),
      api.GenerateKeyPair(1, nullptr, nullptr, 0, nullptr, 0, &number, &number),
      api.SignInit(1, nullptr, 1),
      api.Sign(1, &octet, 1, &octet, &number),
      api.WrapKey(1, nullptr, 1, 1, &octet, &number),
      api.UnwrapKey(1, nullptr, 1, &octet, 1, nullptr, 0, &number),
      api.DeriveKey(1, nullptr, 1, nullptr, 0, &number),
      api.GenerateRandom(1, &octet, 1),
  };
  for (const CK_RV rv : returned) CHECK(rv == CKR_FUNCTION_NOT_SUPPORTED);
}

TEST_CASE("a signature that is longer than one can be never comes out, whatever the key") {
  for (const auto algorithm :
       {base::KeyAlgorithm::kEcP256, base::KeyAlgorithm::kEd25519, base::KeyAlgorithm::kRsa2048}) {
    for (const CK_ULONG more : {1UL, 2UL, 64UL}) {
      HostileHsm fake;
      const auto token = fake.Token();
      auto login = support::SoftHsm::Login(token);
      const hsm::KeyPair pair = Good(Make(login.session(), algorithm).key).pair;
      fake.habits->signature = [more](CK_BYTE* signature, CK_ULONG* size) {
        std::memset(signature + *size, 0x5a, more);
        *size += more;
        return CKR_OK;
      };
      const auto error = Bad(SignWith(login.session(), pair));
      CHECK(error.rule == "KEY-SIGN-01");
      fake.habits->signature = nullptr;
      Good(SignWith(login.session(), pair));
    }
  }
}

TEST_CASE("a signature whose size was never written is refused") {
  HostileHsm fake;
  const auto token = fake.Token();
  auto login = support::SoftHsm::Login(token);
  const hsm::KeyPair pair = Good(Make(login.session()).key).pair;
  fake.habits->signature = [](CK_BYTE* signature, CK_ULONG* size) {
    *size = 4096;  // as it was handed in
    std::memset(signature, 0, *size);
    return CKR_OK;
  };
  CHECK(Bad(SignWith(login.session(), pair)).rule == "KEY-SIGN-01");
  fake.habits->signature = [](CK_BYTE*, CK_ULONG* size) {
    *size = CK_UNAVAILABLE_INFORMATION;
    return CKR_OK;
  };
  CHECK(Bad(SignWith(login.session(), pair)).message ==
        "C_Sign gave nonsense: a signature of 18446744073709551615 bytes");
}

TEST_CASE("an operation that a failed call has left open is an error with a way out, and a new session has none") {
  HostileHsm fake;
  const auto token = fake.Token();
  {
    auto login = support::SoftHsm::Login(token);
    const hsm::KeyPair pair = Good(Make(login.session()).key).pair;
    fake.habits->sign_instead = CKR_BUFFER_TOO_SMALL;
    CHECK(Bad(SignWith(login.session(), pair)).rv == CKR_BUFFER_TOO_SMALL);
    fake.habits->sign_instead = CKR_OK;
    const auto left = Bad(SignWith(login.session(), pair));
    CHECK(left.rv == CKR_OPERATION_ACTIVE);
    CHECK(left.call == "C_SignInit");
    CHECK(left.hint.find("in a new session") != std::string::npos);
  }
  auto login = support::SoftHsm::Login(token);
  Good(SignWith(login.session(), Good(hsm::FindPrivateKey(login.session(), "k", {}))));
}

TEST_CASE("a session that the token has ended by itself is an error with a way out, and the next one works") {
  HostileHsm fake;
  const auto token = fake.Token();
  {
    auto login = support::SoftHsm::Login(token);
    const hsm::KeyPair pair = Good(Make(login.session()).key).pair;
    CHECK(token->module().api().CloseSession(login.session().handle()) == CKR_OK);
    const auto gone = Bad(SignWith(login.session(), pair));
    CHECK(gone.rv == CKR_SESSION_HANDLE_INVALID);
    CHECK(gone.hint.find("opens a new one") != std::string::npos);
    CHECK(Bad(hsm::TakeInventory(login.session())).rv == CKR_SESSION_HANDLE_INVALID);
  }
  auto login = support::SoftHsm::Login(token);
  CHECK(Good(hsm::TakeInventory(login.session())).items.size() == 2);
}

TEST_CASE("a code of the maker is an error that shows its number, and nothing is tried twice") {
  HostileHsm fake;
  const auto token = fake.Token();
  auto login = support::SoftHsm::Login(token);
  const hsm::KeyPair pair = Good(Make(login.session()).key).pair;
  fake.habits->sign_instead = CKR_VENDOR_DEFINED | 0x42UL;
  fake.observer->calls.clear();
  const auto error = Bad(SignWith(login.session(), pair));
  CHECK(error.rv == (CKR_VENDOR_DEFINED | 0x42UL));
  CHECK(error.message.ends_with("C_Sign returned 0x80000042"));
  CHECK(std::ranges::count_if(fake.observer->calls,
                              [](const std::string& call) { return call.starts_with("C_Sign "); }) == 1);
}

TEST_CASE("attributes of another size than the standard's are not taken for what they might mean") {
  struct Row {
    CK_ATTRIBUTE_TYPE type;
    base::Bytes value;
    const char* rule;
    const char* part;
  };
  const Row rows[] = {
      // A boolean of four octets, and a number of four, as a module built for another word size gives them.
      {CKA_SENSITIVE, {1, 0, 0, 0}, "KEY-ATTR-01", "private CKA_SENSITIVE is 01000000, true was asked"},
      {CKA_EXTRACTABLE, {0, 0, 0, 0}, "KEY-ATTR-02", "private CKA_EXTRACTABLE is 00000000, false was asked"},
      // A permission that nobody gave must not look as if it were not there.
      {CKA_SIGN_RECOVER, {1, 0, 0, 0}, "KEY-ATTR-07", "private CKA_SIGN_RECOVER is 01000000, false was asked"},
      {CKA_DERIVE, base::Bytes(8, 1), "KEY-ATTR-07", "private CKA_DERIVE is 0101010101010101"},
      {CKA_SENSITIVE, {}, "KEY-ATTR-01", "private CKA_SENSITIVE is , true was asked"},
      {CKA_CLASS, {3, 0, 0, 0}, "KEY-ATTR-09", "private CKA_CLASS is 03000000, CKO_PRIVATE_KEY was asked"},
      {CKA_KEY_TYPE, {3, 0, 0, 0}, "KEY-ATTR-09", "private CKA_KEY_TYPE is 03000000, CKK_EC was asked"},
      {CKA_KEY_GEN_MECHANISM,
       {0x40, 0x10, 0, 0},
       "KEY-ATTR-08",
       "private CKA_KEY_GEN_MECHANISM is 40100000, CKM_EC_KEY_PAIR_GEN was asked"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.part);
    HostileHsm fake;
    fake.device->slots[0].habits.lies[row.type] = row.value;
    const auto token = fake.Token();
    auto login = support::SoftHsm::Login(token);
    const auto error = Bad(Make(login.session()).key);
    CAPTURE(error.message);
    CHECK(error.rule == row.rule);
    CHECK(error.message.find(row.part) != std::string::npos);
  }
}

TEST_CASE("a value that has shrunk since its size was asked is read as it is") {
  HostileHsm fake;
  const auto token = fake.Token();
  auto login = support::SoftHsm::Login(token);
  Good(Make(login.session()).key);
  bool asked_alone = false;
  fake.habits->attribute = [&asked_alone](CK_ATTRIBUTE& attribute) -> CK_RV {
    if (attribute.type != CKA_LABEL) return CKR_OK;
    if (attribute.pValue == nullptr) {
      asked_alone = true;
      attribute.ulValueLen = 100;
      return CKR_OK;
    }
    if (asked_alone) return CKR_OK;
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;  // of many at once it says nothing
    return CKR_BUFFER_TOO_SMALL;
  };
  const auto inventory = Good(hsm::TakeInventory(login.session()));
  CHECK(asked_alone);
  REQUIRE(inventory.items.size() == 2);
  CHECK(inventory.items[0].object.label() == "k");
}

TEST_CASE("a size of CK_UNAVAILABLE_INFORMATION under CKR_OK is no value, and no buffer") {
  HostileHsm fake;
  const auto token = fake.Token();
  auto login = support::SoftHsm::Login(token);
  Good(Make(login.session()).key);
  fake.habits->attribute = [](CK_ATTRIBUTE& attribute) -> CK_RV {
    if (attribute.type == CKA_LABEL) attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return CKR_OK;
  };
  const auto inventory = Good(hsm::TakeInventory(login.session()));
  REQUIRE(inventory.items.size() == 2);
  CHECK(inventory.Text().find("CKA_LABEL=(unreadable)") != std::string::npos);
}

TEST_CASE("a key pair without handles, with one handle, or with the two exchanged is not a key that was made") {
  const std::function<CK_RV(CK_OBJECT_HANDLE*, CK_OBJECT_HANDLE*)> wrong[] = {
      [](CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
        *public_key = *private_key = CK_INVALID_HANDLE;
        return CKR_OK;
      },
      [](CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
        *private_key = *public_key;
        return CKR_OK;
      },
      [](CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
        std::swap(*public_key, *private_key);
        return CKR_OK;
      },
      // It failed, it says, and both are there.
      [](CK_OBJECT_HANDLE*, CK_OBJECT_HANDLE*) -> CK_RV { return CKR_VENDOR_DEFINED | 1UL; },
  };
  for (const auto& pair : wrong) {
    HostileHsm fake;
    fake.habits->pair = pair;
    const auto token = fake.Token();
    auto login = support::SoftHsm::Login(token);
    const auto made = Make(login.session());
    REQUIRE_FALSE(made.key.ok());
    CHECK(made.key.error().message.find("left on token \"root\" (serial serial-1): ") != std::string::npos);
    REQUIRE(made.left_behind.size() == 2);
    fake.habits->pair = nullptr;
    CHECK(Good(hsm::TakeInventory(login.session())).items.size() == 2);
  }
}

TEST_CASE("a session without a handle is no session") {
  HostileHsm fake;
  const auto token = fake.Token();
  fake.habits->session_without_handle = true;
  CHECK(Bad(hsm::LoginScope::Open(token, hsm::User::kUser, support::Pin(support::kUserPin))).message ==
        "C_OpenSession gave nonsense: CKR_OK and the invalid handle");
}

TEST_CASE("a search that names a new object for ever comes to an end") {
  HostileHsm fake;
  const auto token = fake.Token();
  auto login = support::SoftHsm::Login(token);
  fake.habits->new_handles_forever = true;
  CHECK(Bad(login.session().FindHandles(hsm::Template())).message ==
        "C_FindObjects gave nonsense: more than 1000000 objects");
}

TEST_CASE("a module that was not initialised anew is no success, and may be tried again") {
  HostileHsm fake;
  const auto module = fake.Load();
  fake.habits->finalize_instead = CKR_GENERAL_ERROR;
  const auto refused = Bad(module->Reinitialise());
  CHECK(refused.call == "C_Finalize");
  CHECK(refused.rv == CKR_GENERAL_ERROR);
  Good(module->ListTokens());  // it is as it was
  fake.habits->finalize_instead = CKR_OK;

  // C_Initialize answers CKR_CRYPTOKI_ALREADY_INITIALIZED.
  fake.habits->finalize_does_nothing = true;
  const auto kept = Bad(module->Reinitialise());
  CHECK(kept.code == base::ErrorCode::kToken);
  CHECK(
      kept.message ==
      "module fake says that it is initialised still, after it was finalised: what it holds in memory was not dropped");
  fake.habits->finalize_does_nothing = false;

  const auto generation = module->generation();
  Good(module->Reinitialise());
  CHECK(module->generation() > generation);
  CHECK(module->initialised_by_us());
}

TEST_CASE("an inventory ends when the token goes while a certificate is read, and not when it keeps the value") {
  HostileHsm fake;
  const auto token = fake.Token();
  auto login = support::SoftHsm::Login(token);
  hsm::Template certificate;
  certificate.Number(CKA_CLASS, CKO_CERTIFICATE)
      .Number(CKA_CERTIFICATE_TYPE, CKC_X_509)
      .Bool(CKA_TOKEN, true)
      .Raw(CKA_SUBJECT, base::Bytes{0x30, 0x00})
      .Raw(CKA_VALUE, base::Bytes{1, 2, 3});
  support::MakeObject(login.session(), certificate);
  CK_RV answer = CKR_OK;
  fake.habits->attribute = [&answer](CK_ATTRIBUTE& attribute) -> CK_RV {
    return attribute.type == CKA_VALUE ? answer : CKR_VENDOR_DEFINED;
  };
  CHECK(Good(hsm::TakeInventory(login.session())).items.at(0).value_sha256.size() == 64);
  for (const CK_RV rv : {CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR, CKR_SESSION_HANDLE_INVALID}) {
    answer = rv;
    CHECK(Bad(hsm::TakeInventory(login.session())).rv == rv);
  }
  for (const CK_RV rv : {CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL}) {
    answer = rv;
    CHECK(Good(hsm::TakeInventory(login.session())).items.at(0).value_sha256.empty());
  }
}
