package browsertest

import "github.com/chromedp/chromedp"

var _ = chromedp.Navigate
func closeBrowser() {}
