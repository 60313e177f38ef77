// RecordedScript finds the steps in the script of a record, with what each is to make.
#ifndef CEREMONY_VERIFY_RECORDED_SCRIPT_H_
#define CEREMONY_VERIFY_RECORDED_SCRIPT_H_

#include <map>
#include <string>
#include <string_view>

#include "ceremony/record/content_audit.h"
#include "ceremony/script/strict_json.h"

namespace ceremony::verify {

class RecordedScript final {
 public:
  // Forget clears everything, for the next record.
  void Forget();

  // Find returns the object of a step; nullptr when there is no readable script, or no
  // such step. The first call reads the input. The node lives until Forget.
  const script::Node* Find(std::string_view step, const record::RecordFiles& files);

 private:
  void Read(const record::RecordFiles& files);

  bool is_read_ = false;
  script::Document document_;
  std::map<std::string, const script::Node*, std::less<>> steps_;
};

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_RECORDED_SCRIPT_H_
