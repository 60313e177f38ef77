#include "ceremony/x509/lint_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/lint_set_tables.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/normalise.h"
#include "ceremony/x509/rule_id.h"
#include "ceremony/x509/verify_signature.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"

namespace ceremony::x509 {
namespace {

using namespace set;  // the tables that this checks against

constexpr std::size_t kLongestChain = 16;

class SetChecker final {
 public:
  SetChecker(const CertificateView& certificate, const CertificateSet::NameOf& name_of, Findings& findings)
      : certificate_(certificate),
        tbs_(certificate.tbs),
        name_of_(name_of),
        findings_(findings),
        constraints_(ConstraintsOf(certificate.tbs)),
        key_id_(SubjectKeyIdOf(certificate.tbs)),
        authority_key_id_(AuthorityKeyIdOf(certificate.tbs)) {}

  void Serial(const std::vector<SerialRow>& rows) {
    const Mark self = MarkOf(certificate_.whole);
    for (const SerialRow& row : RowsOf(rows, &SerialRow::issuer_and_serial, MarkOf(tbs_.issuer, tbs_.serial))) {
      if (row.certificate == self) continue;
      findings_.Add(RuleId::kSetSerial01, tbs_.serial,
                    fmt::format("the issuer gave the serial number {} to {} as well", base::HexEncode(tbs_.serial),
                                name_of_(row.number)));
      return;
    }
  }

  void Key(const std::vector<KeyRow>& rows, const std::vector<KeyIdRow>& key_ids) {
    const Mark key = KeyMarkOf(tbs_.spki);
    const Mark subject = SubjectMarkOf(tbs_);
    const Mark key_id = MarkOf(key_id_);
    const KeyRow* shared = nullptr;
    const KeyRow* renamed = nullptr;
    for (const KeyRow& row : RowsOf(rows, &KeyRow::key, key)) {
      const bool worse = row.ca && constraints_.ca;
      if (row.subject != subject && (shared == nullptr || (worse && !shared->ca))) shared = &row;
      if (row.key_id != key_id && renamed == nullptr) renamed = &row;
    }
    if (shared != nullptr) {
      const bool two_cas = shared->ca && constraints_.ca;
      findings_.Add(two_cas ? RuleId::kSetKey01 : RuleId::kSetKey02, tbs_.spki.whole,
                    fmt::format("the key {} is also that of {}, {}", base::Sha256Hex(tbs_.spki.whole),
                                name_of_(shared->number), two_cas ? "another CA" : "which has another subject"));
    }
    if (renamed != nullptr)
      findings_.Add(RuleId::kSetSubjectKeyId02, tbs_.spki.whole,
                    fmt::format("the key has the subjectKeyIdentifier {} here and another one in {}",
                                key_id_.empty() ? "(none)" : HexExcerpt(key_id_), name_of_(renamed->number)));
    if (key_id_.empty()) return;
    for (const KeyIdRow& row : RowsOf(key_ids, &KeyIdRow::key_id, key_id)) {
      if (row.key == key) continue;
      findings_.Add(RuleId::kSetSubjectKeyId02, key_id_,
                    fmt::format("the subjectKeyIdentifier {} also stands for another key in {}", HexExcerpt(key_id_),
                                name_of_(row.number)));
      return;
    }
  }

  void Issuer(const Tables& state) {
    std::vector<const Ca*> issuers = state.IssuersOf(tbs_.issuer, authority_key_id_);
    // A root names no authority: its issuer is the certificate with its own key.
    if (IsSelfIssued(tbs_) && authority_key_id_.empty()) {
      const Mark key = KeyMarkOf(tbs_.spki);
      issuers.erase(std::remove_if(issuers.begin(), issuers.end(), [&](const Ca* ca) { return ca->key != key; }),
                    issuers.end());
    }
    if (issuers.empty()) return NoIssuer(state);
    Nesting(issuers);
    Path(state, issuers);
    Signature(issuers);
  }

 private:
  void NoIssuer(const Tables& state) {
    if (const std::vector<const Ca*> named = state.IssuersOf(tbs_.issuer, {}); !named.empty()) {
      const Ca& other = *named.front();
      findings_.Add(RuleId::kSetAuthorityKeyId01, authority_key_id_,
                    fmt::format("authorityKeyIdentifier is {} where the issuer's certificate {} has the "
                                "subjectKeyIdentifier {}",
                                HexExcerpt(authority_key_id_), name_of_(other.number),
                                other.key_id.empty() ? "(none)" : HexExcerpt(other.key_id)));
      return;
    }
    if (const auto folded = state.by_folded.find(FoldedName(tbs_.issuer)); folded != state.by_folded.end()) {
      const Ca& other = state.cas[folded->second];
      findings_.Add(RuleId::kSetName01, tbs_.issuer,
                    fmt::format("the issuer is {} here, and the CA's subject is {} in {}: the same name in other bytes",
                                NameText(tbs_.issuer), NameText(other.subject), name_of_(other.number)));
      return;
    }
    if (authority_key_id_.empty()) return;
    if (const auto keyed = state.by_key_id.find(std::string(base::AsText(authority_key_id_)));
        keyed != state.by_key_id.end()) {
      const Ca& other = state.cas[keyed->second];
      findings_.Add(
          RuleId::kSetName01, tbs_.issuer,
          fmt::format("the issuer is {} here, and the CA with the key identifier {} is {} in {}", NameText(tbs_.issuer),
                      HexExcerpt(authority_key_id_), NameText(other.subject), name_of_(other.number)));
      return;
    }
    // Nobody of this name is a CA; but somebody who is none may have signed.
    const Mark issuer = MarkOf(tbs_.issuer);
    for (const KeyIdRow& id : RowsOf(state.key_ids, &KeyIdRow::key_id, MarkOf(authority_key_id_))) {
      for (const KeyRow& key : RowsOf(state.keys, &KeyRow::key, id.key)) {
        if (key.subject != issuer || key.ca) continue;
        findings_.Add(RuleId::kSetPath01, tbs_.issuer, fmt::format("the issuer {} is no CA", name_of_(key.number)));
        return;
      }
    }
  }

  void Nesting(const std::vector<const Ca*>& issuers) {
    if (!tbs_.not_before.seconds || !tbs_.not_after.seconds) return;
    const bool nested = std::any_of(issuers.begin(), issuers.end(), [&](const Ca* ca) {
      return !ca->not_before || !ca->not_after ||
             (*ca->not_before <= *tbs_.not_before.seconds && *tbs_.not_after.seconds <= *ca->not_after);
    });
    if (nested) return;
    const Ca& issuer = *issuers.front();
    const bool early = *tbs_.not_before.seconds < *issuer.not_before;
    findings_.Add(
        RuleId::kSetTime01, early ? tbs_.not_before.whole : tbs_.not_after.whole,
        early ? fmt::format("notBefore {} is before that of the issuer {}: {}", ReadableTime(*tbs_.not_before.seconds),
                            name_of_(issuer.number), ReadableTime(*issuer.not_before))
              : fmt::format("notAfter {} is after that of the issuer {}: {}", ReadableTime(*tbs_.not_after.seconds),
                            name_of_(issuer.number), ReadableTime(*issuer.not_after)));
  }

  // A CA counts against the path length of each CA above it (RFC 5280 section 6.1.4 l, m). A chain through any
  // certificates of the issuers will do.
  void Path(const Tables& state, std::vector<const Ca*> above) {
    if (!constraints_.ca || IsSelfIssued(tbs_)) return;
    for (std::uint32_t below = 1; below <= kLongestChain; ++below) {
      const auto too_short = [&](const Ca* ca) { return ca->path_length && *ca->path_length < below; };
      const Ca& first = *above.front();
      std::erase_if(above, too_short);
      if (above.empty()) {
        findings_.Add(RuleId::kSetPath01, tbs_.Find(Oid::kBasicConstraints)->whole,
                      fmt::format("{} CA{} below {}, whose path length is {}", below,
                                  below == 1 ? " stands" : "s stand", name_of_(first.number), *first.path_length));
        return;
      }
      if (std::ranges::any_of(above, [](const Ca* ca) { return ca->self_issued(); })) return;
      std::vector<const Ca*> next;
      for (const Ca* ca : above) {
        const std::vector<const Ca*> issuers = state.IssuersOf(ca->issuer, ca->authority_key_id);
        if (issuers.empty()) return;
        next.insert(next.end(), issuers.begin(), issuers.end());
        if (next.size() >= kMostRows) break;
      }
      // Once each, in the order of the files.
      std::ranges::sort(next, {}, &Ca::number);
      next.erase(std::unique(next.begin(), next.end()), next.end());
      above = std::move(next);
    }
  }

  void Signature(const std::vector<const Ca*>& issuers) {
    std::string why;
    for (const Ca* ca : issuers) {
      if (!ca->public_key) return;  // X509-KEY-* speaks of a key that we cannot use
      const auto strict = VerifySignature(certificate_, certificate_.signature, *ca->public_key);
      if (strict || strict.error().code == base::ErrorCode::kUnsupported) return;
      // How it is encoded is X509-SIG-*; here only whether it is right.
      for (const base::Curve curve : {base::Curve::kP256, base::Curve::kP384, base::Curve::kP521}) {
        const auto read = NormaliseSignature(curve, certificate_.signature);
        if (read && VerifySignature(certificate_, read->der, *ca->public_key)) return;
      }
      if (why.empty()) why = strict.error().message;
    }
    findings_.Add(
        RuleId::kSetSignature01, certificate_.signature,
        fmt::format("the signature does not verify under the key of {}: {}", name_of_(issuers.front()->number), why));
  }

  const CertificateView& certificate_;
  const TbsView& tbs_;
  const CertificateSet::NameOf& name_of_;
  Findings& findings_;
  Constraints constraints_;
  base::ByteView key_id_;
  base::ByteView authority_key_id_;
};

}  // namespace

struct CertificateSet::State : set::Tables {};

CertificateSet::CertificateSet() : state_(std::make_unique<State>()) {}
CertificateSet::~CertificateSet() = default;
CertificateSet::CertificateSet(CertificateSet&&) noexcept = default;
CertificateSet& CertificateSet::operator=(CertificateSet&&) noexcept = default;

std::size_t CertificateSet::size() const { return state_->serials.size(); }

void CertificateSet::Add(const CertificateView& certificate, std::uint32_t number) {
  const TbsView& tbs = certificate.tbs;
  const Constraints constraints = ConstraintsOf(tbs);
  const base::ByteView key_id = SubjectKeyIdOf(tbs);
  const Mark key = KeyMarkOf(tbs.spki);
  const Mark key_id_mark = MarkOf(key_id);
  state_->serials.push_back({MarkOf(tbs.issuer, tbs.serial), MarkOf(certificate.whole), number});
  state_->keys.push_back({key, SubjectMarkOf(tbs), key_id_mark, number, constraints.ca});
  if (!key_id.empty()) state_->key_ids.push_back({key_id_mark, key, number});
  if (!constraints.ca) return;
  Ca ca;
  ca.subject = base::ToBytes(tbs.subject);
  ca.issuer = base::ToBytes(tbs.issuer);
  ca.key_id = base::ToBytes(key_id);
  ca.authority_key_id = base::ToBytes(AuthorityKeyIdOf(tbs));
  ca.key = key;
  ca.not_before = tbs.not_before.seconds;
  ca.not_after = tbs.not_after.seconds;
  ca.path_length = constraints.path_length;
  if (auto public_key = base::PublicKey::FromSpki(tbs.spki.whole)) ca.public_key = std::move(public_key).value();
  ca.number = number;
  state_->cas.push_back(std::move(ca));
}

void CertificateSet::Seal() {
  SortRows(state_->serials);
  SortRows(state_->keys);
  SortRows(state_->key_ids);
  for (std::uint32_t index = 0; index < state_->cas.size(); ++index) state_->Enter(index);
}

void CertificateSet::Check(const CertificateView& certificate, const NameOf& name_of, Findings& findings) const {
  SetChecker checker(certificate, name_of, findings);
  checker.Serial(state_->serials);
  checker.Key(state_->keys, state_->key_ids);
  checker.Issuer(*state_);
}

}  // namespace ceremony::x509
