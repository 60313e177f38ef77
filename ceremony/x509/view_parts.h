// Parses the parts that certificates, CRLs and certification requests share.
// Elements have passed CheckDer.
#ifndef CEREMONY_X509_VIEW_PARTS_H_
#define CEREMONY_X509_VIEW_PARTS_H_

#include <optional>
#include <span>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/finding.h"
#include "ceremony/x509/view.h"

namespace ceremony::x509::parts {

// Outermost runs CheckDer and returns the SEQUENCE that `bytes` must be.
std::optional<Element> Outermost(base::ByteView bytes, const char* what, Findings& findings);

void ParseAlgorithm(const Element& element, const char* what, AlgorithmView& view, Findings& findings);
void ParseTime(const Element& element, const char* field, TimeView& view, Findings& findings);
void CheckNameForm(base::ByteView content, const char* what, Findings& findings);
void ParseSpki(const Element& element, SpkiView& view, Findings& findings);

// ParseExtensionList reads the content of an Extensions into `list`, as many as
// it has room for, and returns their number.
std::size_t ParseExtensionList(const Element& sequence, std::span<ExtensionView> list, Findings& findings);

// ParseSigned parses what X.509 calls SIGNED (6.2): a SEQUENCE of the signed part, the algorithm, and the signature as
// a BIT STRING. `inner` is the name of the first part, and `parse_inner(element)` reads it; `signature` is the name of
// the last in this standard. True if all three parts are there and the first is complete.
template <typename View, typename ParseInner>
bool ParseSigned(base::ByteView bytes, const char* what, const char* inner, const char* signature, View& view,
                 Findings& findings, ParseInner parse_inner) {
  view = {};
  const auto outer = Outermost(bytes, what, findings);
  if (!outer) return false;
  view.whole = outer->whole;
  DerReader reader(outer->content, what, findings);
  const auto to_be_signed = reader.Take(tag::kSequence, inner);
  const auto algorithm = reader.Take(tag::kSequence, "signatureAlgorithm");
  const auto signed_by = reader.Take(tag::kBitString, signature);
  reader.Finish();
  const bool complete = to_be_signed && parse_inner(*to_be_signed);
  if (!algorithm || !signed_by) return false;
  ParseAlgorithm(*algorithm, "signatureAlgorithm", view.algorithm, findings);
  if (const auto split = BitStringOf(signed_by->content)) {
    view.signature = split->bits;
    view.signature_unused_bits = split->unused;
  }
  return complete;
}

// FindExtension returns the first extension of a type, nullptr if there is none.
const ExtensionView* FindExtension(std::span<const ExtensionView> extensions, Oid oid);

}  // namespace ceremony::x509::parts

#endif  // CEREMONY_X509_VIEW_PARTS_H_
