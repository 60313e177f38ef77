// Rules of the CA/Browser Forum's Baseline Requirements for CAs of the public web.
// They do not judge server certificates: ceremonies make none.
#ifndef CEREMONY_X509_LINT_WEBPKI_H_
#define CEREMONY_X509_LINT_WEBPKI_H_

#include "ceremony/x509/finding.h"
#include "ceremony/x509/lint_parts.h"
#include "ceremony/x509/view.h"

namespace ceremony::x509::lint {

// IsWebPki says whether a certificate names a policy for servers of the public web.
bool IsWebPki(const TbsView& tbs);

// LintWebPki runs the rules WEB-* on the certificate of a CA: of a root when it
// is self-issued, else of an issuing CA.
void LintWebPki(const TbsView& tbs, const ExtensionSummary& summary, Findings& findings);

}  // namespace ceremony::x509::lint

#endif  // CEREMONY_X509_LINT_WEBPKI_H_
