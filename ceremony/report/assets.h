// The style sheets and scripts of this folder, embedded when the program is built.
#ifndef CEREMONY_REPORT_ASSETS_H_
#define CEREMONY_REPORT_ASSETS_H_

#include <string_view>

namespace ceremony::report::assets {

extern const std::string_view kPaperCss;      // common to all documents
extern const std::string_view kReportCss;     // the ceremony report
extern const std::string_view kBookletCss;    // the script for the room
extern const std::string_view kVerifyJs;      // verdict on a record, in any JavaScript engine
extern const std::string_view kVerifyPageJs;  // the same, on a page

}  // namespace ceremony::report::assets

#endif  // CEREMONY_REPORT_ASSETS_H_
