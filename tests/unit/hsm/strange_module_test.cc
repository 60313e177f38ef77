// Modules that were met in the wild, as far as they differ, played on the fake token: what the table of quirks says of
// them lets a key be made, and what they cannot do at all is known before anybody asks for it.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>

#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "hsm/login.h"
#include "hsm/module_file.h"
#include "hsm/probe.h"
#include "hsm/quirks.h"
#include "hsm/sign.h"
#include "tests/support/fake_token.h"
#include "tests/support/passing_cryptoki.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using support::Bad;
using support::Good;

const CK_ATTRIBUTE* Find(const CK_ATTRIBUTE* attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type) {
  const CK_ATTRIBUTE* const end = attributes + count;
  const CK_ATTRIBUTE* const found =
      std::find_if(attributes, end, [type](const CK_ATTRIBUTE& attribute) { return attribute.type == type; });
  return found == end ? nullptr : found;
}

bool Says(const CK_ATTRIBUTE* attribute, bool value) {
  return attribute != nullptr && (*static_cast<const CK_BBOOL*>(attribute->pValue) == CK_TRUE) == value;
}

// tpm2-pkcs11 1.9: a TPM key has one bit for SIGN and ENCRYPT, one for DECRYPT and VERIFY, and the template of the
// private key has the last word on both.
class TpmLike final : public support::PassingCryptoki {
 public:
  using PassingCryptoki::PassingCryptoki;
  CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) override {
    const auto in_public = [&](CK_ATTRIBUTE_TYPE type) { return Find(public_attributes, public_count, type); };
    const auto in_private = [&](CK_ATTRIBUTE_TYPE type) { return Find(private_attributes, private_count, type); };
    if (Says(in_public(CKA_TOKEN), false) || Says(in_private(CKA_EXTRACTABLE), true))
      return CKR_ATTRIBUTE_VALUE_INVALID;
    const bool decrypts = Says(in_private(CKA_DECRYPT), true);
    const bool signs = Says(in_private(CKA_SIGN), true);
    if (Says(in_public(CKA_VERIFY), !decrypts) || Says(in_public(CKA_ENCRYPT), !signs)) return CKR_GENERAL_ERROR;
    return InterceptingCryptoki::GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                                 private_attributes, private_count, public_key, private_key);
  }
};

// openCryptoki 3.8: of PKCS#11 2.20, without all of it.
class OpenCryptoki38Like final : public support::PassingCryptoki {
 public:
  using PassingCryptoki::PassingCryptoki;
  CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) override {
    for (const CK_ATTRIBUTE_TYPE type :
         {CKA_COPYABLE, CKA_DESTROYABLE, CKA_WRAP_WITH_TRUSTED, CKA_ALWAYS_AUTHENTICATE}) {
      if (Find(public_attributes, public_count, type) != nullptr) return CKR_ATTRIBUTE_TYPE_INVALID;
      if (Find(private_attributes, private_count, type) != nullptr) return CKR_ATTRIBUTE_TYPE_INVALID;
    }
    return InterceptingCryptoki::GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                                 private_attributes, private_count, public_key, private_key);
  }
  CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override {
    CK_RV rv = InterceptingCryptoki::GetAttributeValue(session, object, attributes, count);
    for (CK_ULONG i = 0; i < count; ++i) {
      if (attributes[i].type != CKA_KEY_GEN_MECHANISM) continue;
      attributes[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
      rv = CKR_ATTRIBUTE_TYPE_INVALID;
    }
    return rv;
  }
};

template <typename Like>
struct Strange {
  std::shared_ptr<support::FakeDevice> device = std::make_shared<support::FakeDevice>();
  std::shared_ptr<hsm::Token> token;

  Strange(const char* manufacturer, const char* description) {
    device->manufacturer = manufacturer;
    device->description = description;
    device->AddToken("serial-1", "root", support::kSoPin, support::kUserPin);
    token = Good(hsm::Token::Locate(
        Good(hsm::Module::Wrap(std::make_unique<Like>(std::make_unique<support::FakeCryptoki>(device)),
                               {.path = "fake", .environment = {}, .init_args = {}}, nullptr)),
        "root", ""));
  }
  hsm::KeyGeneration Make(hsm::Session& session, base::KeyAlgorithm algorithm) const {
    return hsm::GenerateKeyPair(session, {.algorithm = algorithm, .label = "k", .id = {1}});
  }
};

// A key is made, and signs.
template <typename Like>
void CheckMakesAKey(Strange<Like>& strange, base::KeyAlgorithm algorithm) {
  hsm::LoginScope login = support::SoftHsm::Login(strange.token);
  const hsm::GeneratedKey key = Good(strange.Make(login.session(), algorithm).key);
  Good(hsm::Sign(login.session(), key.pair, hsm::DefaultScheme(algorithm), base::AsBytes("words"),
                 hsm::Consequence::kCeremonyKey));
}

constexpr const char* kTpm = "tpm2-software.github.io";
constexpr const char* kMeta = "Meta PKCS11 LIBRARY";

}  // namespace

TEST_CASE("a TPM makes a key for a ceremony, since nothing is stated twice of it") {
  Strange<TpmLike> tpm(kTpm, "TPM2.0 Cryptoki");
  CHECK(tpm.token->quirks().name == "tpm2-pkcs11");
  CheckMakesAKey(tpm, base::KeyAlgorithm::kEcP256);

  // Without its row it makes none.
  Strange<TpmLike> unknown("Acme", "TPM2.0 Cryptoki");
  hsm::LoginScope login = support::SoftHsm::Login(unknown.token);
  CHECK(Bad(unknown.Make(login.session(), base::KeyAlgorithm::kEcP256).key).rv == CKR_GENERAL_ERROR);
}

TEST_CASE("a probe of a token that makes no session keys says so, and makes none") {
  Strange<TpmLike> tpm(kTpm, "TPM2.0 Cryptoki");
  hsm::LoginScope login = support::SoftHsm::Login(tpm.token);
  const hsm::Probe probe = Good(hsm::ProbeToken(login.session(), [] { return false; }));
  const auto untried = [](const hsm::Trial& trial) { return trial.outcome == hsm::Trial::Outcome::kUntried; };
  CHECK(std::ranges::count_if(probe.trials, untried) == static_cast<std::ptrdiff_t>(base::KeyAlgorithms().size()) + 1);
  CHECK(probe.trials.front().what == "make EC P-256 keys and sign with them");
  CHECK(probe.trials.front().said.starts_with("this module makes no session key"));
  CHECK(Good(hsm::TakeInventory(login.session())).items.empty());
}

TEST_CASE("a probe stops between two trials when people want it to, and leaves nothing behind") {
  Strange<TpmLike> unknown("Acme", "no module that we know");
  hsm::LoginScope login = support::SoftHsm::Login(unknown.token);
  int asked = 0;
  const base::Error stopped = Bad(hsm::ProbeToken(login.session(), [&asked] { return ++asked == 2; }));
  CHECK(stopped.code == base::ErrorCode::kAborted);
  CHECK(asked == 2);
  CHECK(Good(hsm::TakeInventory(login.session())).items.empty());
}

TEST_CASE("openCryptoki 3.8 makes a key of the attributes that it knows") {
  Strange<OpenCryptoki38Like> old("IBM", kMeta);
  CHECK(old.token->quirks().name == "opencryptoki-3.8");
  CheckMakesAKey(old, base::KeyAlgorithm::kRsa2048);

  Strange<OpenCryptoki38Like> unknown("Acme", kMeta);
  hsm::LoginScope login = support::SoftHsm::Login(unknown.token);
  CHECK(Bad(unknown.Make(login.session(), base::KeyAlgorithm::kRsa2048).key).rv == CKR_ATTRIBUTE_TYPE_INVALID);
}

TEST_CASE("what a module cannot do at all belongs to its row, and nothing is beyond a good one") {
  const auto of = [](const char* manufacturer, const char* description) {
    return hsm::QuirksOf(manufacturer, description, "/x/module.so").limits;
  };
  CHECK(of(kTpm, "").no_extractable_keys);
  CHECK(of(kTpm, "").no_session_keys);
  CHECK(of("IBM", kMeta).factory_so_pin);
  CHECK(of("IBM", "openCryptoki").factory_so_pin);
  CHECK_FALSE(of("SoftHSM", "Implementation of PKCS11").factory_so_pin);
  CHECK_FALSE(of("Acme", "HSM").no_extractable_keys);
}

TEST_CASE("what is no module is told from its file, before the loader waits for it or ends the program") {
  std::string folder = (std::filesystem::temp_directory_path() / "module-file-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const auto at = [&](const char* name) { return folder + "/" + name; };
  const auto said = [&](const char* name) { return Bad(hsm::CheckModuleFile(at(name))).message; };
  std::ofstream(at("text.so")) << "not a shared object\n";
  std::ofstream(at("empty.so")).flush();
  std::filesystem::create_directory(at("folder.so"));
  REQUIRE(mkfifo(at("pipe.so").c_str(), 0600) == 0);
  // This very program is as good as a shared object here, and its first page is a copy that was cut off.
  std::filesystem::copy_file("/proc/self/exe", at("half.so"));
  Good(hsm::CheckModuleFile(at("half.so")));
  std::filesystem::resize_file(at("half.so"), 4096);

  CHECK(said("text.so") == "module " + at("text.so") + " cannot be loaded: it is not a shared object");
  CHECK(said("empty.so").ends_with("it is not a shared object"));
  CHECK(said("folder.so").ends_with("it is a directory"));
  CHECK(said("pipe.so").ends_with("it is no file, but a pipe, a socket or a device"));
  CHECK(said("half.so").find("the file is cut short, at ") != std::string::npos);
  CHECK(Bad(hsm::CheckModuleFile(at("none.so"))).code == base::ErrorCode::kNotFound);
  std::filesystem::resize_file(at("half.so"), 40);
  CHECK(said("half.so").find("the file is cut short, at 40 bytes") != std::string::npos);
  std::filesystem::remove_all(folder);
}
