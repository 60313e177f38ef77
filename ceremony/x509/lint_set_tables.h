// What CertificateSet keeps of the certificates that it knows: sorted tables of
// truncated digests, and of each CA its names, identifiers, key and limits.
#ifndef CEREMONY_X509_LINT_SET_TABLES_H_
#define CEREMONY_X509_LINT_SET_TABLES_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/public_key.h"

namespace ceremony::x509::set {

// 128 bits of SHA-256: nobody finds a collision, and the set stays small.
using Mark = std::array<std::uint8_t, 16>;
Mark MarkOf(base::ByteView bytes);
Mark MarkOf(base::ByteView a, base::ByteView b);
// KeyMarkOf is the same for one key however its SubjectPublicKeyInfo is written: the
// modulus of RSA under any exponent and algorithm, the x of an EC point in any form.
Mark KeyMarkOf(const SpkiView& spki);
// SubjectMarkOf identifies the subject of a certificate: its subject name or, if that is empty (a device), its
// alternative name.
Mark SubjectMarkOf(const TbsView& tbs);

// These are the octets of the identifiers, empty where there is none.
base::ByteView SubjectKeyIdOf(const TbsView& tbs);
base::ByteView AuthorityKeyIdOf(const TbsView& tbs);

struct Constraints {
  bool ca = false;
  std::optional<std::uint32_t> path_length;
};
Constraints ConstraintsOf(const TbsView& tbs);

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

// Sorted; of equal rows only the one of the first certificate.
template <typename Row>
void SortRows(std::vector<Row>& rows) {
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return std::pair(a.Key(), a.number) < std::pair(b.Key(), b.number); });
  rows.erase(std::unique(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.Key() == b.Key(); }),
             rows.end());
  rows.shrink_to_fit();
}

// Largest number of rows of one mark that are looked at: a hostile set may have a
// million certificates with one key, and the first of them report that.
inline constexpr std::size_t kMostRows = 256;

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
  std::optional<base::PublicKey> public_key;  // nullopt: unknown algorithm
  std::uint32_t number = 0;

  bool self_issued() const { return subject == issuer; }
};

struct Tables {
  std::vector<SerialRow> serials;
  std::vector<KeyRow> keys;
  std::vector<KeyIdRow> key_ids;
  std::vector<Ca> cas;
  // Indices into `cas`, by the bytes of the subject, and by those with the key identifier behind them.
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_subject;
  std::unordered_map<std::string, std::uint32_t> by_key_id;  // the first of each
  std::unordered_map<std::string, std::uint32_t> by_folded;  // the first of each

  // Enter puts the CA with this index into the maps.
  void Enter(std::uint32_t index);

  // IssuersOf lists the CAs that may have issued, by the name's bytes and, unless it is empty, the key identifier; the
  // first kMostRows of them.
  std::vector<const Ca*> IssuersOf(base::ByteView issuer, base::ByteView key_id) const;
};

}  // namespace ceremony::x509::set

#endif  // CEREMONY_X509_LINT_SET_TABLES_H_
