#include "ceremony/x509/lint_set_tables.h"

#include <algorithm>

#include "ceremony/x509/name.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509::set {

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

Mark KeyMarkOf(const SpkiView& spki) {
  const auto algorithm = FindOid(spki.algorithm.oid);
  base::ByteView key = spki.bits;
  if (algorithm == Oid::kEcPublicKey && key.size() > 1) {
    const bool compressed = key[0] == 0x02 || key[0] == 0x03;
    key = key.subspan(1, compressed ? key.size() - 1 : (key.size() - 1) / 2);
  } else if (algorithm == Oid::kRsaEncryption || algorithm == Oid::kRsaPss) {
    const base::ByteView modulus = ReadElement(ReadElement(key).element.content).element.content;
    const auto first = std::find_if(modulus.begin(), modulus.end(), [](std::uint8_t octet) { return octet != 0; });
    if (first != modulus.end()) key = modulus.subspan(static_cast<std::size_t>(first - modulus.begin()));
  }
  return MarkOf(key.empty() ? spki.whole : key);
}

Mark SubjectMarkOf(const TbsView& tbs) {
  const bool empty = ReadElement(tbs.subject).element.content.empty();
  const ExtensionView* alternative = empty ? tbs.Find(Oid::kSubjectAltName) : nullptr;
  return MarkOf(alternative == nullptr ? tbs.subject : alternative->value);
}

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

namespace {

// A Name says where it ends, so that no name and identifier are put together as another one is.
std::string NameAndKeyId(base::ByteView name, base::ByteView key_id) {
  return std::string(base::AsText(name)).append(base::AsText(key_id));
}

}  // namespace

void Tables::Enter(std::uint32_t index) {
  const Ca& ca = cas[index];
  by_subject[NameAndKeyId(ca.subject, {})].push_back(index);
  if (!ca.key_id.empty()) {
    by_subject[NameAndKeyId(ca.subject, ca.key_id)].push_back(index);
    by_key_id.emplace(base::AsText(ca.key_id), index);
  }
  by_folded.emplace(FoldedName(ca.subject), index);
}

std::vector<const Ca*> Tables::IssuersOf(base::ByteView issuer, base::ByteView key_id) const {
  std::vector<const Ca*> found;
  const auto named = by_subject.find(NameAndKeyId(issuer, key_id));
  if (named == by_subject.end()) return found;
  for (const std::uint32_t index : std::span(named->second).first(std::min(named->second.size(), kMostRows)))
    found.push_back(&cas[index]);
  return found;
}

}  // namespace ceremony::x509::set
