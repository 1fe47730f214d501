/**
 * Domains of services that send for others. Written for this project, after what the services document.
 *
 * `BULK_SERVICES`: their return paths, signatures and servers. They know their customers, ask for consent and end accounts
 * that are complained about: snow-shoe spam seldom comes through them, phishing from stolen accounts does.
 */
export const BULK_SERVICES: ReadonlySet<string> = new Set(
  `
  acems1.com acems2.com acoustic-ms.com activehosted.com agnitas.de amazonses.com appboy.com artegic.net
  attentivemobile.com aweber.com beehiiv.com bluehornet.com bmsend.com bounceexchange.com braze.com brevo.com
  brevosend.com broadmail.de bronto.com campaignmonitor.com ccsend.com cheetahmail.com chtah.net cleverreach.com
  clevertap.com cmail19.com cmail20.com constantcontact.com contactlab.com convertkit-mail.com convertkit-mail2.com
  createsend.com createsend1.com crsend.com customeriomail.com dotdigital-email.com dotmailer-email.com
  eccluster.com ecircle.com elasticemail.com eloqua.com emarsys.net emm-mail.de emsmtp.com emsmtp.us episerver.net
  epsl1.com exacttarget.com exct.net getresponse-mail.com getresponse.com getresponse360.com gr-mail.com
  hs-inbox.com hs-send.com hubspotemail.net insider-mail.com intercom-mail.com inx1and1.de inxmail.com inxmail.de
  iterable.com kit-mail1.com kit-mail3.com klaviyomail.com listrak.com listrakbi.com lstrk.net mailchimpapp.com
  mailchimpapp.net mailerlite.com mailersend.net mailgun.com mailgun.net mailgun.org mailingwork.de mailjet.com
  mailjet.net maillist-manage.com mailup.com mandrillapp.com marketo.com marketo.org mcdlv.net mcsv.net
  messagebird.com mgsend.net mkt4477.com mktomail.com mktroute.com mlsend.com mlsend2.com moengage.com mtasv.net
  netcorecloud.net newsletter2go.com nl2go.com ometria.email omnisend.com ongage.net optimizely.com optivo.net
  oraclecloud.com pepipost.com postmarkapp.com pstmrk.com pstmrk.it rapidmail.de responsys.net rs6.net rsgsv.net salesforce.com
  rsys1.com rsys2.com rsys2.net rsys3.com rsys4.com rsys5.com rsys5.net s10.exacttarget.com sailthru.com
  sendgrid.com sendgrid.net sendibm1.com sendibm2.com sendibm3.com sendibt1.com sendibt2.com sendibt3.com
  sendinblue.com sendpulse.com shopifyemail.com sibautomation.com silverpop.com smtp2go.com socketlabs.com
  sparkpost.com sparkpostmail.com srv2.de substack.com unisender.com xqueue.com zcsend.net zeptomail.com
  zohocampaigns.com
  `
    .trim()
    .split(/\s+/),
)

/** Also those with links through them, and of programs that write for people: what stands there is neither the author's nor a stranger's. */
export const SENDING_SERVICES: ReadonlySet<string> = new Set([
  ...BULK_SERVICES,
  ...`
  acemlna.com adobe.com ascendbywix.com attn.tv cjm.adobe.com ctrk.klclick.com cvent.com docusign.net emlnk.com
  en25.com evbuc.com eventbrite.com facebookmail.com freshdesk.com googlegroups.com groups.io hubspot.com
  hubspotlinks.com intercom.io klclick.com klclick1.com klclick2.com klclick3.com links.iterable.com list-manage.com
  mjt.lu mktoweb.com onesignal.com outlook.com pardot.com safelinks.protection.outlook.com
  squarespace.com surveymonkey.com toast-restaurants.com twilio.com urldefense.com wixemails.com yahoogroups.com
  zendesk.com
  `
    .trim()
    .split(/\s+/),
])
