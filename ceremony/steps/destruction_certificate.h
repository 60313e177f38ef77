// The certificate of destruction of one key, as data (`keyceremony-destruction/1`).
// docs/keys.md says what each member is; a report makes a page of it.
#ifndef CEREMONY_STEPS_DESTRUCTION_CERTIFICATE_H_
#define CEREMONY_STEPS_DESTRUCTION_CERTIFICATE_H_

#include <string>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/steps/step_context.h"

namespace ceremony::steps {

// DestroyedCopy is what became of one copy.
struct DestroyedCopy {
  std::string token, serial, object_id;
  std::string kind;      // "original" or "clone"
  std::string method;    // as of estate::CopyDestroyed
  std::string evidence;  // "elsewhere": of the document
  std::string reason;    // "elsewhere": in words
  std::string on;
  std::vector<std::string> tests;  // searches after it that found nothing
};

// DestructionCertificate writes it: LF at the end, members in the order of their names. `key`
// is as it was before this ceremony took its copies; `early` is the reason for destroying it
// before the end of its hold, or empty.
std::string DestructionCertificate(StepContext& context, const estate::Key& key,
                                   const std::vector<DestroyedCopy>& copies, const std::string& early);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_DESTRUCTION_CERTIFICATE_H_
