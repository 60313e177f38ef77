// Facts about a certificate that the estate keeps beyond names and dates. They come
// from the profile while it is planned, and from the bytes once it exists.
#ifndef CEREMONY_STEPS_CERTIFICATE_FACTS_H_
#define CEREMONY_STEPS_CERTIFICATE_FACTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ceremony/estate/effect.h"
#include "ceremony/estate/estate.h"
#include "ceremony/steps/step_context.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/tbs.h"

namespace ceremony::steps {

// TakeFacts puts what the profile, or the bytes, say into the effect: CA, path
// length, key usage, and from bytes also names, serial, dates and identifiers.
void TakeFacts(const x509::Profile& profile, estate::CertificateIssued& effect);
void TakeFacts(const x509::TbsView& tbs, estate::CertificateIssued& effect);

// SubjectValuesOf takes the values of a DER Name for the attributes that the
// profile leaves open. The caller must check that the profile makes the same name
// of them: with two attributes of one type, or another encoding, it does not.
x509::SubjectValues SubjectValuesOf(base::ByteView name, const x509::Profile& profile);

// ReadCertificate reads a certificate of the estate from the archive; its
// digest is compared.
base::Result<x509::Certificate> ReadCertificate(const std::string& name, StepContext& context);

// ReadChain reads a certificate, its issuer's, and so on; the self-signed one is last.
base::Result<std::vector<x509::Certificate>> ReadChain(const std::string& name, StepContext& context);

// HasWaitedTooLong is true if more than a tenth of the time from `from` to `until` is over at `now` (seconds since
// 1970): days may pass between the first look at a TBS and its approval.
bool HasWaitedTooLong(std::int64_t from, std::int64_t until, std::int64_t now);

// TbsSuffix is the end of the name of a TBS: ".tbs.der"; ".tbs-2.der" for the second, after the first had waited too
// long, and so on.
std::string TbsSuffix(int edition);

// IssuerOf returns the certificate above one in the estate; nullptr at the top.
const estate::Certificate* IssuerOf(const estate::Certificate& certificate, const estate::Estate& estate);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_CERTIFICATE_FACTS_H_
