/* What Orthanc Explorer's pages of a series and of a study offer of Reading Room. Runs among Explorer's own scripts (jQuery Mobile 1.1). */
(function ($) {
  'use strict';

  /* One line each; the address is that of our page, or of OHIF. `study` and `series` are DICOM UIDs of what is shown, fit for an address. */
  var OHIF = '/ohif/viewer?StudyInstanceUIDs=';
  var ACTIONS = {
    series: {
      resource: '/series/',
      lines: [
        { label: 'Open in viewer', icon: 'grid', address: function (study, series) { return '/viewer/' + study + '/' + series; } },
        {
          label: 'Open in OHIF',
          icon: 'grid',
          address: function (study, series) { return OHIF + study + '&initialSeriesInstanceUID=' + series; }
        },
        { label: 'Share this series', icon: 'forward', address: function (study, series) { return '/shares/new?series=' + series; } }
      ]
    },
    study: {
      resource: '/studies/',
      lines: [
        { label: 'Open in viewer', icon: 'grid', address: function (study) { return '/viewer/' + study; } },
        { label: 'Open in OHIF', icon: 'grid', address: function (study) { return OHIF + study; } },
        { label: 'Share a series of this study', icon: 'forward', address: function (study) { return '/shares/new?study=' + study; } },
        { label: 'Add to case', icon: 'plus', address: function (study) { return '/admin/cases?study=' + study; } }
      ]
    }
  };

  /* Asked at the click: Explorer shows another series on the same page without drawing it anew. */
  function follow(kind, line) {
    var shown = $.mobile.pageData;
    if (!shown || !shown.uuid) return;
    var one = '..' + kind.resource + encodeURIComponent(shown.uuid);
    $.when($.getJSON(kind === ACTIONS.study ? one : one + '/study'), $.getJSON(one)).done(function (study, found) {
      window.location.assign(line.address(uid(study, 'StudyInstanceUID'), uid(found, 'SeriesInstanceUID')));
    });
  }

  function uid(answer, tag) {
    return encodeURIComponent(answer[0].MainDicomTags[tag]);
  }

  function listOf(kind) {
    var list = $('<ul>').attr({ 'data-role': 'listview', 'data-inset': 'true', 'data-theme': 'd', 'data-divider-theme': 'c' });
    list.append($('<li>').attr('data-role', 'list-divider').text('Reading Room'));
    $.each(kind.lines, function (_, line) {
      var link = $('<a>').attr('href', '#').text(line.label);
      link.click(function (event) {
        event.preventDefault();
        event.stopImmediatePropagation();
        follow(kind, line);
      });
      list.append($('<li>').attr('data-icon', line.icon).append(link));
    });
    return list;
  }

  $.each(ACTIONS, function (page, kind) {
    $(document).on('pagebeforecreate', '#' + page, function () {
      listOf(kind).insertBefore($('#' + page + '-delete').closest('ul'));
    });
  });
}(jQuery));
