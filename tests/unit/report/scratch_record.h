// A record that a test writes line by line: unsigned, so INCOMPLETE or INVALID, but read all the same.
#ifndef TESTS_UNIT_REPORT_SCRATCH_RECORD_H_
#define TESTS_UNIT_REPORT_SCRATCH_RECORD_H_

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "ceremony/report/report_data.h"
#include "tests/unit/record/scratch.h"

class ScratchRecord final {
 public:
  // Add appends an entry, one second after the one before.
  ScratchRecord& Add(const std::string& type, nlohmann::json fields) {
    fields.update({{"v", 1}, {"seq", seq_}, {"type", type}, {"mono", seq_ * 1'000'000}, {"mode", "production"}});
    fields["salt"] = std::string(32, '0');
    fields["time"] = fmt::format("2026-11-21T09:{:02}:{:02}.000000Z", seq_ / 60, seq_ % 60);
    log_ += fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    ++seq_;
    return *this;
  }
  ScratchRecord& Line(const std::string& line) {
    log_ += line + "\n";
    ++seq_;
    return *this;
  }
  void Write(const std::string& name, const std::string& content) const { folder_.Write("record/" + name, content); }
  ceremony::report::ReportData Read(const std::string& script = "") {
    folder_.Write("record/log.jsonl", log_);
    if (!script.empty()) folder_.Write("record/inputs/script.json", script);
    auto data = ceremony::report::ReadReportData(path(), {});
    REQUIRE(data.ok());
    return std::move(data).value();
  }
  std::string path() const { return folder_.path("record"); }

 private:
  Scratch folder_;
  std::string log_;
  int seq_ = 0;
};

#endif  // TESTS_UNIT_REPORT_SCRATCH_RECORD_H_
