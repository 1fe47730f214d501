/**
 * Domains of services that send for others, under their own domain or with links through it: what stands there is neither
 * the author's nor a stranger's. Written for this project.
 */
export const SENDING_SERVICES: ReadonlySet<string> = new Set(
  `
  sendgrid.net sparkpostmail.com amazonses.com mcsv.net mcdlv.net rsgsv.net mailchimpapp.com list-manage.com mandrillapp.com
  mailgun.org mailgun.net mgsend.net mailjet.com mjt.lu postmarkapp.com pstmrk.it exacttarget.com exct.net cmail19.com cmail20.com
  createsend.com createsend1.com constantcontact.com ccsend.com rs6.net hubspotemail.net hubspotlinks.com hs-send.com klaviyomail.com
  klclick.com klclick1.com klclick2.com klclick3.com ctrk.klclick.com braze.com iterable.com links.iterable.com customeriomail.com
  sendinblue.com brevo.com sendibm1.com sendibm2.com sendibm3.com sibautomation.com rapidmail.de cleverreach.com crsend.com inxmail.com inxmail.de
  newsletter2go.com nl2go.com mailerlite.com mlsend.com mailersend.net activehosted.com emlnk.com acemlna.com getresponse.com
  getresponse360.com aweber.com substack.com beehiiv.com convertkit-mail.com convertkit-mail2.com kit-mail1.com adobe.com cjm.adobe.com
  salesforce.com pardot.com marketo.com mktomail.com mktoweb.com eloqua.com en25.com responsys.net rsys2.net rsys5.net listrak.com listrakbi.com
  bronto.com emarsys.net episerver.net optivo.net broadmail.de emm-mail.de zendesk.com freshdesk.com intercom-mail.com googlegroups.com
  groups.io yahoogroups.com facebookmail.com eventbrite.com evbuc.com cvent.com surveymonkey.com toast-restaurants.com squarespace.com shopifyemail.com
  wixemails.com ascendbywix.com onesignal.com sailthru.com ometria.email attentivemobile.com attn.tv urldefense.com safelinks.protection.outlook.com outlook.com
  `
    .trim()
    .split(/\s+/),
)
