// A hierarchy on HSMs that do not do what they say: SoftHSM, with what it gives
// changed on the way. The record's own token stays honest.
#include <doctest/doctest.h>
#include <openssl/bn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "ceremony/estate/fold.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/room/unattended_terminal.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/start.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/x509/certificate.h"
#include "hsm/base/ecdsa_signature.h"
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

enum class Habit { kHonest, kWrongSignature, kHighS, kShort, kConstantSignature, kConstantRandom };

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

 private:
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

  base::Result<void> Begin(Habit habit) { return Play(habit, false); }
  base::Result<void> Resume() { return Play(Habit::kHonest, true); }

  estate::Folded Fold() const { return Good(estate::FoldArchive(archive_)); }
  std::optional<x509::Certificate> Certificate(const std::string& name) const {
    const std::string path = archive_ + "/0001-smki-organisation/artefacts/certificates/" + name + ".der";
    if (!fs::exists(path)) return std::nullopt;
    return Good(x509::Certificate::Parse(base::AsBytes(Good(script::LoadFile(path)).bytes)));
  }

 private:
  base::Result<void> Play(Habit habit, bool resume) {
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
