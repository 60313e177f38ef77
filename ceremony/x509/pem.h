// PEM as RFC 7468 writes it, strictly, for certificates, CRLs and CSRs.
#ifndef CEREMONY_X509_PEM_H_
#define CEREMONY_X509_PEM_H_

#include <span>
#include <string>
#include <string_view>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// PemEncode writes one block: 64 characters a line, LF.
std::string PemEncode(std::string_view label, base::ByteView der);

// PemDecode reads exactly one block with this label: lines of 64 characters but
// for the last, LF or CRLF, nothing but white space around it. kInvalidInput otherwise.
base::Result<base::Bytes> PemDecode(std::string_view label, std::string_view text);

// OnlyPemBlock finds the one PEM block of a file that may have explanations around
// it (RFC 7468 2), as many programs write them. kInvalidInput when there is none,
// more than one, or one whose label is none of `labels`. The block points into `text`.
struct PemBlock {
  std::string_view label;
  std::string_view text;  // dashes included
};
base::Result<PemBlock> OnlyPemBlock(std::string_view text, std::span<const std::string_view> labels);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_PEM_H_
