// What the estate keeps of a certificate beyond its names and dates: read from a
// profile while it is planned, from the bytes once it is there.
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
// profile leaves open. Whether the profile then makes the same name is for the
// caller to compare: two attributes of one type, or another encoding, do not.
x509::SubjectValues SubjectValuesOf(base::ByteView name, const x509::Profile& profile);

// ReadCertificate reads a certificate of the estate from the archive; its
// digest is compared.
base::Result<x509::Certificate> ReadCertificate(const std::string& name, StepContext& context);

// ReadChain reads a certificate, its issuer's, and so on; the self-signed one is last.
base::Result<std::vector<x509::Certificate>> ReadChain(const std::string& name, StepContext& context);

// HasWaitedTooLong tells what was built at `from`, to be good until `until`, and would be signed at `now` (seconds
// since 1970) with more than a tenth of that time gone: days may lie between the first look at it and the approval.
bool HasWaitedTooLong(std::int64_t from, std::int64_t until, std::int64_t now);

// TbsSuffix ends the name of bytes to be signed: ".tbs.der"; ".tbs-2.der" where the first had waited too long, and so
// on.
std::string TbsSuffix(int edition);

// IssuerOf returns the certificate above one in the estate; nullptr at the top.
const estate::Certificate* IssuerOf(const estate::Certificate& certificate, const estate::Estate& estate);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_CERTIFICATE_FACTS_H_
