#include "ceremony/x509/lint_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/normalise.h"
#include "ceremony/x509/verify_signature.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"

namespace ceremony::x509 {
namespace {

// 128 bits of SHA-256: nobody finds two inputs, and the set stays small.
using Mark = std::array<std::uint8_t, 16>;
Mark MarkOf(base::ByteView bytes) {
  const base::Sha256Digest digest = base::Sha256Of(bytes);
  Mark mark;
  std::copy_n(digest.begin(), mark.size(), mark.begin());
  return mark;
}
Mark MarkOf(base::ByteView a, base::ByteView b) {
  base::Bytes joined = base::ToBytes(a);
  joined.insert(joined.end(), b.begin(), b.end());
  return MarkOf(joined);
}

bool SameBytes(base::ByteView a, base::ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

base::ByteView SubjectKeyIdOf(const TbsView& tbs) {
  const ExtensionView* extension = tbs.Find(Oid::kSubjectKeyIdentifier);
  return extension == nullptr ? base::ByteView{} : ReadElement(extension->value).element.content;
}
base::ByteView AuthorityKeyIdOf(const TbsView& tbs) {
  const ExtensionView* extension = tbs.Find(Oid::kAuthorityKeyIdentifier);
  if (extension == nullptr) return {};
  const Header first = ReadElement(ReadElement(extension->value).element.content);
  return first.element.identifier == tag::Context(0) ? first.element.content : base::ByteView{};
}

// Whom a certificate is about: its subject, or where that is empty (a device's) its alternative name.
Mark SubjectMarkOf(const TbsView& tbs) {
  const bool empty = ReadElement(tbs.subject).element.content.empty();
  const ExtensionView* alternative = empty ? tbs.Find(Oid::kSubjectAltName) : nullptr;
  return MarkOf(alternative == nullptr ? tbs.subject : alternative->value);
}

struct Constraints {
  bool ca = false;
  std::optional<std::uint32_t> path_length;
};
Constraints ConstraintsOf(const TbsView& tbs) {
  Constraints out;
  const ExtensionView* extension = tbs.Find(Oid::kBasicConstraints);
  if (extension == nullptr) return out;
  base::ByteView rest = ReadElement(extension->value).element.content;
  const Header ca = ReadElement(rest);
  if (ca.element.identifier != tag::kBoolean) return out;
  out.ca = BooleanOf(ca.element.content);
  const Header length = ReadElement(rest.subspan(ca.element.whole.size()));
  if (length.element.identifier == tag::kInteger) out.path_length = SmallIntegerOf(length.element.content);
  return out;
}

// The name as section 7.1 compares it: string types, case and runs of spaces do not count.
std::string Folded(base::ByteView name) {
  std::string folded;
  NameReader reader(name);
  while (const auto attribute = reader.Next()) {
    folded += attribute->first_of_rdn ? '\x01' : '\x02';
    folded += base::HexEncode(attribute->type);
    folded += '\x03';
    bool gap = false;
    bool any = false;
    for (const std::uint8_t octet : attribute->value) {
      if (octet == ' ') {
        gap = any;
        continue;
      }
      if (gap) folded += ' ';
      gap = false;
      any = true;
      folded += static_cast<char>(octet >= 'A' && octet <= 'Z' ? octet + 32 : octet);
    }
  }
  return folded;
}

struct SerialRow {
  Mark issuer_and_serial;
  Mark certificate;
  std::uint32_t number;
  auto Key() const { return std::tie(issuer_and_serial, certificate); }
};
struct KeyRow {
  Mark key;
  Mark subject;
  Mark key_id;
  std::uint32_t number;
  bool ca;
  auto Key() const { return std::tuple(key, !ca, subject, key_id); }  // CAs first
};
struct KeyIdRow {
  Mark key_id;
  Mark key;
  std::uint32_t number;
  auto Key() const { return std::tie(key_id, key); }
};

// Sorted, and of rows that say the same only the first certificate's.
template <typename Row>
void SortRows(std::vector<Row>& rows) {
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return std::pair(a.Key(), a.number) < std::pair(b.Key(), b.number); });
  rows.erase(std::unique(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.Key() == b.Key(); }),
             rows.end());
  rows.shrink_to_fit();
}

// The most rows of one mark that are looked at: a hostile set may give a
// million certificates one key, and is told so by the first of them.
constexpr std::size_t kMostRows = 256;

// The rows whose first field is `mark`.
template <typename Row>
std::span<const Row> RowsOf(const std::vector<Row>& rows, Mark Row::*field, const Mark& mark) {
  const auto first = std::lower_bound(rows.begin(), rows.end(), mark,
                                      [&](const Row& row, const Mark& wanted) { return row.*field < wanted; });
  auto last = first;
  while (last != rows.end() && (*last).*field == mark && last - first < static_cast<std::ptrdiff_t>(kMostRows)) ++last;
  return {first, last};
}

struct Ca {
  base::Bytes subject;
  base::Bytes issuer;
  base::Bytes key_id;
  base::Bytes authority_key_id;
  Mark key{};
  std::optional<std::int64_t> not_before;
  std::optional<std::int64_t> not_after;
  std::optional<std::uint32_t> path_length;
  std::optional<base::PublicKey> public_key;  // nullopt: of an algorithm that is not ours
  std::uint32_t number = 0;

  bool self_issued() const { return subject == issuer; }
};

constexpr std::size_t kLongestChain = 16;

struct Tables {
  std::vector<SerialRow> serials;
  std::vector<KeyRow> keys;
  std::vector<KeyIdRow> key_ids;
  std::vector<Ca> cas;
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_subject;  // indices into `cas`
  std::unordered_map<std::string, std::uint32_t> by_key_id;                // the first of each
  std::unordered_map<std::string, std::uint32_t> by_folded;                // the first of each

  // The CAs that may have issued, by the name's bytes and then the key identifier.
  std::vector<const Ca*> IssuersOf(base::ByteView issuer, base::ByteView key_id) const {
    std::vector<const Ca*> found;
    const auto named = by_subject.find(std::string(base::AsText(issuer)));
    if (named == by_subject.end()) return found;
    for (const std::uint32_t index : named->second) {
      if (key_id.empty() || SameBytes(cas[index].key_id, key_id)) found.push_back(&cas[index]);
      if (found.size() == kMostRows) break;
    }
    return found;
  }
};

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
    const Mark key = MarkOf(tbs_.spki.whole);
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

  void Name(const Tables& state) {
    if (!constraints_.ca) return;
    for (const Ca* other : state.IssuersOf(tbs_.subject, {})) {
      if (SameBytes(other->key_id, key_id_)) continue;
      findings_.Add(RuleId::kSetSubjectKeyId01, key_id_.empty() ? tbs_.subject : key_id_,
                    fmt::format("the CA {} has the subjectKeyIdentifier {} here and {} in {}", NameText(tbs_.subject),
                                HexExcerpt(key_id_), HexExcerpt(other->key_id), name_of_(other->number)));
      return;
    }
  }

  void Issuer(const Tables& state) {
    std::vector<const Ca*> issuers = state.IssuersOf(tbs_.issuer, authority_key_id_);
    // A root names no authority: its issuer is the certificate with its own key.
    if (IsSelfIssued(tbs_) && authority_key_id_.empty()) {
      const Mark key = MarkOf(tbs_.spki.whole);
      issuers.erase(std::remove_if(issuers.begin(), issuers.end(), [&](const Ca* ca) { return ca->key != key; }),
                    issuers.end());
    }
    if (issuers.empty()) return NoIssuer(state);
    Nesting(issuers);
    Path(state, *issuers.front());
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
    if (const auto folded = state.by_folded.find(Folded(tbs_.issuer)); folded != state.by_folded.end()) {
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

  // A CA counts against the path length of each CA above it (RFC 5280 section 6.1.4 l, m).
  void Path(const Tables& state, const Ca& issuer) {
    if (!constraints_.ca || IsSelfIssued(tbs_)) return;
    const Ca* above = &issuer;
    std::uint32_t below = 1;
    for (std::size_t step = 0; step < kLongestChain; ++step) {
      if (above->path_length && *above->path_length < below) {
        findings_.Add(RuleId::kSetPath01, tbs_.Find(Oid::kBasicConstraints)->whole,
                      fmt::format("{} CA{} below {}, whose path length is {}", below,
                                  below == 1 ? " stands" : "s stand", name_of_(above->number), *above->path_length));
        return;
      }
      if (above->self_issued()) return;
      ++below;
      const std::vector<const Ca*> next = state.IssuersOf(above->issuer, above->authority_key_id);
      if (next.empty()) return;
      above = next.front();
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

struct CertificateSet::State : Tables {};

CertificateSet::CertificateSet() : state_(std::make_unique<State>()) {}
CertificateSet::~CertificateSet() = default;
CertificateSet::CertificateSet(CertificateSet&&) noexcept = default;
CertificateSet& CertificateSet::operator=(CertificateSet&&) noexcept = default;

std::size_t CertificateSet::size() const { return state_->serials.size(); }

void CertificateSet::Add(const CertificateView& certificate, std::uint32_t number) {
  const TbsView& tbs = certificate.tbs;
  const Constraints constraints = ConstraintsOf(tbs);
  const base::ByteView key_id = SubjectKeyIdOf(tbs);
  const Mark key = MarkOf(tbs.spki.whole);
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
  for (std::uint32_t index = 0; index < state_->cas.size(); ++index) {
    const Ca& ca = state_->cas[index];
    state_->by_subject[std::string(base::AsText(ca.subject))].push_back(index);
    if (!ca.key_id.empty()) state_->by_key_id.emplace(base::AsText(ca.key_id), index);
    state_->by_folded.emplace(Folded(ca.subject), index);
  }
}

void CertificateSet::Check(const CertificateView& certificate, const NameOf& name_of, Findings& findings) const {
  SetChecker checker(certificate, name_of, findings);
  checker.Serial(state_->serials);
  checker.Key(state_->keys, state_->key_ids);
  checker.Name(*state_);
  checker.Issuer(*state_);
}

}  // namespace ceremony::x509
