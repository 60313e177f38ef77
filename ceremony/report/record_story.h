// RecordStory takes the entries of a log one by one, and fills a ReportData.
#ifndef CEREMONY_REPORT_RECORD_STORY_H_
#define CEREMONY_REPORT_RECORD_STORY_H_

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>

#include "ceremony/report/report_data.h"
#include "ceremony/report/withheld_story.h"

namespace ceremony::report {

class RecordStory final {
 public:
  // `openings` are the ones that the reader may see.
  explicit RecordStory(ReportData& data, Openings openings = {}) : data_(data), openings_(std::move(openings)) {}

  // TakeScript adds the planned sections and steps; `bytes` may be anything.
  void TakeScript(std::string_view bytes);
  // Take sees each line of the log once, in order, without its LF.
  void Take(std::string_view line);
  // TakeRoster says who is who of those that never came, after the log; `bytes` may be anything.
  void TakeRoster(std::string_view bytes);
  // Finish ends what the record left open.
  void Finish();

 private:
  void OnOpen(const nlohmann::json& entry, const Moment& at);
  void OnAttend(const nlohmann::json& entry, const Moment& at);
  void OnDepart(const nlohmann::json& entry, const Moment& at);
  void OnStep(const nlohmann::json& entry, const Moment& at);
  void OnRequest(const nlohmann::json& entry, const Moment& at);
  void OnCosign(const nlohmann::json& entry, const Moment& at);
  void OnDone(const nlohmann::json& entry);
  void OnObserve(const nlohmann::json& entry, const Moment& at);
  void OnShares(const nlohmann::json& entry, const Moment& at, const std::string& what);
  void OnArtefact(const nlohmann::json& entry, const Moment& at);
  void OnRemark(const nlohmann::json& entry, const Moment& at, const std::string& type);
  void OnClose(const nlohmann::json& entry);

  // The effects of a step: record_effects.cc.
  void OnEffect(const nlohmann::json& effect, const Moment& at, StepStory& step);
  void OnKeyEffect(const nlohmann::json& effect, const Moment& at, const std::string& what);
  void OnIssued(const nlohmann::json& effect, const Moment& at, const std::string& what);
  void OnTokenEffect(const nlohmann::json& effect, const Moment& at, const std::string& what);

  void OnComparison(const nlohmann::json& entry);

  std::string RemarkText(const nlohmann::json& entry, const std::string& type) const;
  PersonSeen& PersonOf(const std::string& id);
  PersonSeen& PersonIn(const nlohmann::json& entry);  // and what the entry says of their name
  StepStory& StepOf(const std::string& id);
  KeyStory& KeyOf(const std::string& name);
  TokenSeen& TokenOf(const std::string& name);
  HandOver* HandOverOf(const std::string& set);
  void AddEvidence(std::string source, const Moment& at, const std::string& step);

  ReportData& data_;
  Openings openings_;
  std::map<std::string, std::size_t> people_, steps_, keys_, tokens_;  // places in data_
  std::map<std::uint64_t, std::size_t> requests_;                      // by entry
  std::map<std::string, std::vector<NameValue>> attributes_;           // of private keys, by CKA_ID
  std::map<NameValue, IssuedThing> compared_;                          // comparisons, by kind and name of the thing
  std::string step_;                                                   // under way
};

// FactsOf lists the values of an entry that are short and for people.
std::vector<NameValue> FactsOf(const nlohmann::json& entry);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_RECORD_STORY_H_
