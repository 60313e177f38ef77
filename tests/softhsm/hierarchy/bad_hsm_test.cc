// A hierarchy on HSMs that do not do what they say: SoftHSM, with what it gives
// changed on the way. The record's own token stays honest.
#include <doctest/doctest.h>
#include <openssl/bn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/estate/fold.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/room/unattended_terminal.h"
#include "ceremony/run/record_inputs.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/start.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/x509/certificate.h"
#include "hsm/base/digest.h"
#include "hsm/base/ecdsa_signature.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"
#include "hsm/intercepting_cryptoki.h"
#include "hsm/real_cryptoki.h"
#include "tests/support/results.h"

namespace {

namespace fs = std::filesystem;
using namespace ceremony;
using support::Good;

const std::string kScript = std::string(SCRIPTS_FOLDER) + "/smki-organisation.ceremony.json";
constexpr const char* kOrderP256 = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
constexpr std::size_t kScalar = 32;

enum class Habit {
  kHonest,
  kWrongSignature,
  kHighS,
  kShort,
  kConstantSignature,
  kConstantRandom,
  kWeakKey,   // makes the key whose private value is 1
  kKnownKey,  // makes the same sound key again and again
};

// s becomes n - s: another signature of the same message, as valid as the first.
void Negate(CK_BYTE* s) {
  BIGNUM* order = nullptr;
  REQUIRE(BN_hex2bn(&order, kOrderP256) == 64);
  BIGNUM* number = BN_bin2bn(s, kScalar, nullptr);
  REQUIRE(BN_sub(number, order, number) == 1);
  REQUIRE(BN_bn2binpad(number, s, kScalar) == kScalar);
  BN_free(number);
  BN_free(order);
}

struct KnownKey {
  const char* scalar;
  const char* point;
};
// The generator of P-256 (SEC 2, 2.4.2), whose private value is 1, and the key of RFC 6979 A.2.5.
constexpr KnownKey kOne{"0000000000000000000000000000000000000000000000000000000000000001",
                        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"};
constexpr KnownKey kSound{"c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
                          "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                          "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"};

// The SubjectPublicKeyInfo of a point on P-256 (RFC 5480 2).
base::Bytes SpkiOf(const KnownKey& key) {
  return base::HexDecode(std::string("3059301306072a8648ce3d020106082a8648ce3d030107034200") + key.point).value();
}

bool IsHigh(const CK_BYTE* s) { return s[0] >= 0x80; }

class BadHsm final : public hsm::InterceptingCryptoki {
 public:
  BadHsm(std::unique_ptr<hsm::CryptokiApi> inner, Habit habit, std::string honest_label)
      : InterceptingCryptoki(std::move(inner)), habit_(habit), honest_label_(std::move(honest_label)) {}

  CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) override {
    const CK_RV rv = InterceptingCryptoki::OpenSession(slot, flags, session);
    CK_TOKEN_INFO info{};
    if (rv == CKR_OK && InterceptingCryptoki::GetTokenInfo(slot, &info) == CKR_OK) {
      const std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
      honest_[*session] = label.starts_with(honest_label_);
    }
    return rv;
  }
  CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) override {
    mechanism_ = *mechanism;
    key_ = key;
    return InterceptingCryptoki::SignInit(session, mechanism, key);
  }
  CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
             CK_ULONG* size) override {
    CK_RV rv = InterceptingCryptoki::Sign(session, data, data_size, signature, size);
    if (rv != CKR_OK || signature == nullptr || *size != 2 * kScalar || honest_[session]) return rv;
    switch (habit_) {
      case Habit::kWrongSignature:
        signature[2 * kScalar - 1] ^= 1;
        break;
      case Habit::kHighS:
        if (!IsHigh(signature + kScalar)) Negate(signature + kScalar);
        break;
      case Habit::kShort:
        // One signature in 128 has a leading zero octet in r or s.
        while (signature[0] != 0 && signature[kScalar] != 0) {
          REQUIRE(InterceptingCryptoki::SignInit(session, &mechanism_, key_) == CKR_OK);
          *size = 2 * kScalar;
          rv = InterceptingCryptoki::Sign(session, data, data_size, signature, size);
          REQUIRE(rv == CKR_OK);
        }
        break;
      case Habit::kConstantSignature:
        if (first_.empty()) first_.assign(signature, signature + *size);
        std::copy(first_.begin(), first_.end(), signature);
        break;
      default:
        break;
    }
    return rv;
  }
  CK_RV GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) override {
    const CK_RV rv = InterceptingCryptoki::GenerateRandom(session, out, size);
    if (habit_ == Habit::kConstantRandom && !honest_[session]) std::fill(out, out + size, CK_BYTE{0x5a});
    return rv;
  }

  // SoftHSM makes sound keys only, so one that is known is put there under the templates of the one that was asked for.
  CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) override {
    if (!MakesKnownKeys() || honest_[session])
      return InterceptingCryptoki::GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                                   private_attributes, private_count, public_key, private_key);
    const KnownKey& known = habit_ == Habit::kWeakKey ? kOne : kSound;
    base::Bytes point = base::HexDecode(known.point).value();
    point.insert(point.begin(), {0x04, 0x41});
    base::Bytes scalar = base::HexDecode(known.scalar).value();
    base::Bytes curve = base::ToBytes(base::AsBytes(base::FactsOf(base::KeyAlgorithm::kEcP256).curve_oid_der));
    const auto create = [&](CK_ATTRIBUTE* stated, CK_ULONG count, CK_OBJECT_CLASS object_class,
                            CK_ATTRIBUTE_TYPE material, base::Bytes& value, CK_OBJECT_HANDLE* handle) {
      std::vector<CK_ATTRIBUTE> all(stated, stated + count);
      CK_KEY_TYPE type = CKK_EC;
      const auto add = [&](CK_ATTRIBUTE_TYPE attribute, void* data, std::size_t size) {
        if (std::none_of(all.begin(), all.end(), [&](const CK_ATTRIBUTE& a) { return a.type == attribute; }))
          all.push_back({attribute, data, static_cast<CK_ULONG>(size)});
      };
      add(CKA_CLASS, &object_class, sizeof object_class);
      add(CKA_KEY_TYPE, &type, sizeof type);
      add(CKA_EC_PARAMS, curve.data(), curve.size());
      add(material, value.data(), value.size());
      return InterceptingCryptoki::CreateObject(session, all.data(), all.size(), handle);
    };
    const CK_RV rv = create(public_attributes, public_count, CKO_PUBLIC_KEY, CKA_EC_POINT, point, public_key);
    if (rv != CKR_OK) return rv;
    return create(private_attributes, private_count, CKO_PRIVATE_KEY, CKA_VALUE, scalar, private_key);
  }
  // It says of every key that it has made it itself.
  CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override {
    const CK_RV rv = InterceptingCryptoki::GetAttributeValue(session, object, attributes, count);
    if (!MakesKnownKeys() || honest_[session]) return rv;
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_ATTRIBUTE& attribute = attributes[i];
      if (attribute.pValue == nullptr || attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) continue;
      if (attribute.type == CKA_LOCAL || attribute.type == CKA_ALWAYS_SENSITIVE)
        *static_cast<CK_BBOOL*>(attribute.pValue) = CK_TRUE;
      if (attribute.type == CKA_KEY_GEN_MECHANISM)
        *static_cast<CK_MECHANISM_TYPE*>(attribute.pValue) = CKM_EC_KEY_PAIR_GEN;
    }
    return rv;
  }

 private:
  bool MakesKnownKeys() const { return habit_ == Habit::kWeakKey || habit_ == Habit::kKnownKey; }

  CK_RV Around(hsm::Function, const hsm::InnerCall& call) override { return call(); }

  Habit habit_;
  std::string honest_label_;
  std::map<CK_SESSION_HANDLE, bool> honest_;
  CK_MECHANISM mechanism_{};
  CK_OBJECT_HANDLE key_ = 0;
  base::Bytes first_;
};

// An archive in which the organisation's hierarchy is rehearsed.
class Rehearsal final {
 public:
  Rehearsal() {
    std::string pattern = (fs::temp_directory_path() / "keyceremony-bad-hsm-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    archive_ = folder_ + "/archive";
    const script::Inputs alone = Good(script::ReadInputs(kScript, "", "", steps::Catalogue()));
    Good(run::PrepareRehearsal(archive_, alone.script, alone.policy, hsm::Module::Load));
  }
  ~Rehearsal() { fs::remove_all(folder_); }
  Rehearsal(const Rehearsal&) = delete;  // one folder, one owner
  Rehearsal& operator=(const Rehearsal&) = delete;

  base::Result<run::Ended> Begin(Habit habit) { return Play(habit, false); }
  base::Result<run::Ended> Resume(Habit habit = Habit::kHonest) { return Play(habit, true); }

  // Entries of the record that say this of themselves.
  std::vector<nlohmann::json> Entries(const std::string& type, const std::string& what) const {
    std::ifstream log(archive_ + "/0001-smki-organisation/log.jsonl");
    std::vector<nlohmann::json> found;
    for (std::string line; std::getline(log, line);) {
      const nlohmann::json entry = nlohmann::json::parse(line);
      if (entry["type"] == type && entry.value("what", "") == what) found.push_back(entry);
    }
    return found;
  }

  estate::Folded Fold() const { return Good(estate::FoldArchive(archive_)); }
  std::optional<x509::Certificate> Certificate(const std::string& name) const {
    const std::string path = archive_ + "/0001-smki-organisation/artefacts/certificates/" + name + ".der";
    if (!fs::exists(path)) return std::nullopt;
    return Good(x509::Certificate::Parse(base::AsBytes(Good(script::LoadFile(path)).bytes)));
  }

 private:
  base::Result<run::Ended> Play(Habit habit, bool resume) {
    const run::RehearsalPaths paths(archive_);
    script::Inputs inputs = Good(script::ReadInputs(kScript, paths.roster, paths.binding, steps::Catalogue()));
    const std::string honest = inputs.binding->Find(inputs.binding->record_token)->label;
    room::UnattendedTerminal terminal(nullptr, room::Look{});
    const auto storage = Good(record::PosixStorage::Open(archive_));
    base::SystemClock clock;
    run::EnvelopePins pins(paths.envelopes, inputs.policy.pin);
    quorum::BoundCredentials credentials(*inputs.binding, terminal);
    const run::LoadModule load =
        [&](const hsm::ModuleOptions& options,
            std::shared_ptr<hsm::CallObserver> observer) -> base::Result<std::shared_ptr<hsm::Module>> {
      KC_ASSIGN_OR_RETURN(auto real, hsm::RealCryptoki::Load(options.path));
      return hsm::Module::Wrap(std::make_unique<BadHsm>(std::move(real), habit, honest), options, std::move(observer));
    };
    run::World world{terminal, clock, *storage, pins, credentials, load, [] { return false; }};
    std::string folder = "0001-smki-organisation";
    if (!resume) return run::Begin(world, archive_, std::move(inputs), folder);
    return run::Resume(world, archive_, Good(run::ReadRecordInputs(archive_, folder)), folder);
  }

  std::string folder_;
  std::string archive_;
};

void IsRefusedAndGoesOn(Habit habit, const std::string& rule, const std::string& certificate) {
  Rehearsal rehearsal;
  const base::Error error = support::Bad(rehearsal.Begin(habit));
  CHECK_MESSAGE(error.rule == rule, error.message);
  CHECK_FALSE(rehearsal.Certificate(certificate).has_value());
  CHECK(rehearsal.Fold().estate.FindCertificate(certificate) == nullptr);
  Good(rehearsal.Resume());
  CHECK(rehearsal.Fold().records.at(0).complete);
  CHECK(rehearsal.Certificate(certificate).has_value());
}

}  // namespace

TEST_CASE("a wrong signature never becomes a certificate, and an honest HSM goes on") {
  IsRefusedAndGoesOn(Habit::kWrongSignature, "KEY-SIGN-01", "root-oca");
}

TEST_CASE("a signature that is always the same is good once") {
  IsRefusedAndGoesOn(Habit::kConstantSignature, "KEY-SIGN-01", "issuing-oca-z1");
}

TEST_CASE("a generator that repeats itself is noticed before the quorum is asked") {
  Rehearsal rehearsal;
  const base::Error error = support::Bad(rehearsal.Begin(Habit::kConstantRandom));
  CHECK_MESSAGE(error.rule == "CERT-SERIAL-01", error.message);
  CHECK(rehearsal.Certificate("root-oca").has_value());
  CHECK_FALSE(rehearsal.Certificate("issuing-oca-z1").has_value());
  // The serial number was never approved, so the next one is drawn anew.
  Good(rehearsal.Resume());
  CHECK(rehearsal.Fold().records.at(0).complete);
}

TEST_CASE("a weak key that an HSM has made is named, and goes with consent before another one is made") {
  Rehearsal rehearsal;
  const base::Error error = support::Bad(rehearsal.Begin(Habit::kWeakKey));
  CHECK_MESSAGE(error.rule == "KEY-WEAK-04", error.message);
  CHECK(error.message.find("token root-hsm has made a weak key root-oca: ") != std::string::npos);
  CHECK(rehearsal.Fold().estate.FindKey("root-oca") == nullptr);
  // Until then it is on the token, and the same HSM makes a second one after it was told to destroy the first.
  CHECK(support::Bad(rehearsal.Resume(Habit::kWeakKey)).rule == "KEY-WEAK-04");
  Good(rehearsal.Resume());
  CHECK(rehearsal.Fold().records.at(0).complete);
  CHECK(rehearsal.Certificate("root-oca").has_value());
  const auto gone = rehearsal.Entries("observe", "weak-key-destroyed");
  const auto deviations = rehearsal.Entries("deviation", "a weak key was made and destroyed");
  REQUIRE(gone.size() == 2);
  REQUIRE(deviations.size() == 2);
  const std::string weak = base::Sha256Hex(SpkiOf(kOne));
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(gone[i]["token"] == "root-hsm");
    CHECK(gone[i]["key"] == weak);
    CHECK(gone[i]["objects"].size() == 2);
    CHECK(deviations[i]["rule"] == "KEY-WEAK-04");
    CHECK(deviations[i]["spki_sha256"] == weak);
  }
  CHECK(rehearsal.Fold().estate.FindKey("root-oca")->spki_sha256 != weak);
}

TEST_CASE("an HSM that makes a key of another CA again is told to destroy it, on its own token or beside the other") {
  Rehearsal rehearsal;
  // The root's key is taken from the list, too: the first issuing key is the same on another token.
  const base::Error first = support::Bad(rehearsal.Begin(Habit::kKnownKey));
  CHECK_MESSAGE(first.rule == "EST-KEY-02", first.message);
  CHECK(first.message.find("token issuing-hsm has made a key issuing-oca-z1 whose public key ") != std::string::npos);
  CHECK(first.message.ends_with("already belongs to key root-oca"));
  Good(rehearsal.Resume());
  CHECK(rehearsal.Fold().records.at(0).complete);
  const auto gone = rehearsal.Entries("observe", "double-key-destroyed");
  REQUIRE(gone.size() == 1);
  CHECK(gone[0]["token"] == "issuing-hsm");
  CHECK(gone[0]["key"] == base::Sha256Hex(SpkiOf(kSound)));
  CHECK(gone[0]["objects"].size() == 2);
  const estate::Folded folded = rehearsal.Fold();
  CHECK(folded.estate.FindKey("root-oca")->spki_sha256 == base::Sha256Hex(SpkiOf(kSound)));
  CHECK(folded.estate.FindKey("issuing-oca-z1")->spki_sha256 != base::Sha256Hex(SpkiOf(kSound)));
}

TEST_CASE("high s and leading zeros come out as the one strict encoding") {
  for (const Habit habit : {Habit::kHighS, Habit::kShort}) {
    Rehearsal rehearsal;
    Good(rehearsal.Begin(habit));
    const x509::Certificate root = rehearsal.Certificate("root-oca").value();
    for (const char* name : {"root-oca", "issuing-oca-z1", "issuing-oca-z2"}) {
      const x509::Certificate certificate = rehearsal.Certificate(name).value();
      CHECK(base::CheckStrictLowSDer(base::Curve::kP256, certificate.view().signature).ok());
      CHECK(certificate.VerifiedBy(Good(root.SubjectKey())).ok());
    }
  }
}
