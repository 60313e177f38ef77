// The parts that certificates, CRLs and certification requests share, taken
// apart by one piece of code. Elements have been through CheckDer.
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

// FindExtension returns the first extension of a type, nullptr if there is none.
const ExtensionView* FindExtension(std::span<const ExtensionView> extensions, Oid oid);

}  // namespace ceremony::x509::parts

#endif  // CEREMONY_X509_VIEW_PARTS_H_
