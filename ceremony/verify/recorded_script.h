// RecordedScript is the script among the inputs of a record, as far as it says what a
// step is to make.
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
  // Forget is for the next record.
  void Forget();

  // Find returns the object of a step; nullptr when there is no script that could be
  // read, or it has no such step. The input is read at the first call; the node lives
  // until Forget.
  const script::Node* Find(std::string_view step, const record::RecordFiles& files);

 private:
  void Read(const record::RecordFiles& files);

  bool is_read_ = false;
  script::Document document_;
  std::map<std::string, const script::Node*, std::less<>> steps_;
};

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_RECORDED_SCRIPT_H_
