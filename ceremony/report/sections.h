// The sections of a ceremony report, each with its heading. They only write what
// ReportData has.
#ifndef CEREMONY_REPORT_SECTIONS_H_
#define CEREMONY_REPORT_SECTIONS_H_

#include "ceremony/report/html.h"
#include "ceremony/report/report_data.h"

namespace ceremony::report {

// section_summary.cc
void Masthead(const ReportData& data, Html& html);
void VerdictBand(const ReportData& data, Html& html);
void VerdictSection(const ReportData& data, Html& html);
void Circumstances(const ReportData& data, Html& html);
void Remarks(const ReportData& data, Html& html);

// section_people.cc
void People(const ReportData& data, Html& html);
void Approvals(const ReportData& data, Html& html);
void HandOvers(const ReportData& data, Html& html);
void Signatures(const ReportData& data, Html& html);

// section_steps.cc
void ScriptBeside(const ReportData& data, Html& html);
void StepLog(const ReportData& data, Html& html);

// timeline.cc
void Timeline(const ReportData& data, Html& html);

// section_keys.cc
void Keys(const ReportData& data, Html& html);
void Certificates(const ReportData& data, Html& html);
void Tokens(const ReportData& data, Html& html);

// section_evidence.cc
void EvidenceMatrix(const ReportData& data, Html& html);

// section_annex.cc
void Materials(const ReportData& data, Html& html);
void Files(const ReportData& data, Html& html);

// section_withheld.cc
void Withheld(const ReportData& data, Html& html);

// InitialsOf is the first letter of each word of a name: "AA" of "Alice Archer". section_people.cc
std::string InitialsOf(const std::string& name);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_SECTIONS_H_
