// Rules for all certificates of smart metering, whatever their profile: roles,
// EUI-64 identifiers, sizes and criticality.
#ifndef CEREMONY_X509_LINT_SMKI_H_
#define CEREMONY_X509_LINT_SMKI_H_

#include "ceremony/x509/finding.h"
#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/view.h"

namespace ceremony::x509::lint {

// IsSmki says whether a certificate names a policy below the arcs of smart metering,
// other than that of its infrastructure hierarchy.
bool IsSmki(const TbsView& tbs);

// LintSmki runs the rules SMKI-*: an end entity with an empty subject is a
// device, another one an organisation.
void LintSmki(const TbsView& tbs, const ExtensionSummary& summary, Findings& findings);

}  // namespace ceremony::x509::lint

#endif  // CEREMONY_X509_LINT_SMKI_H_
