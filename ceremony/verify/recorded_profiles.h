// RecordedProfiles are the profiles of certificates and CRLs among the inputs of a record.
#ifndef CEREMONY_VERIFY_RECORDED_PROFILES_H_
#define CEREMONY_VERIFY_RECORDED_PROFILES_H_

#include <map>
#include <string>

#include "ceremony/record/content_audit.h"
#include "ceremony/x509/crl_profile.h"
#include "ceremony/x509/profile.h"

namespace ceremony::verify {

class RecordedProfiles final {
 public:
  // Forget clears everything, for the next record.
  void Forget();

  // Find and FindCrl return the profile with that id; nullptr when no readable input has
  // it. The first call reads the inputs.
  const x509::Profile* Find(const std::string& id, const record::RecordFiles& files);
  const x509::CrlProfile* FindCrl(const std::string& id, const record::RecordFiles& files);

  // is_partial: some input is missing or withheld, and may be the one.
  bool is_partial() const { return is_partial_; }

 private:
  void Read(const record::RecordFiles& files);

  bool is_read_ = false;
  bool is_partial_ = false;
  std::map<std::string, x509::Profile> profiles_;
  std::map<std::string, x509::CrlProfile> crl_profiles_;
};

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_RECORDED_PROFILES_H_
